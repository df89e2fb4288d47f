// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { create, durationMs, type MessageInitShape, typeUrls } from "@msm/xds-protos";
import type { Node } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
  type Resource as XdsResource,
} from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import {
  type Rejection,
  type Resource,
  type ResourceType,
  resourceTypeOf,
  resourceTypes,
} from "../config/resource.ts";
import { ConfigError } from "../config-error.ts";
import { type ClientState, INVALID_ARGUMENT, type Received } from "./client-state.ts";
import { nackText } from "./nack-text.ts";

/** What is known and wanted of one type. */
interface Subscription {
  readonly isWildcard: boolean;
  names: ReadonlySet<string>;
  /** Versions that were accepted, by name: what the server need not send again. They outlive streams. */
  readonly versions: Map<string, string>;
  /** Whether this stream was asked for the type. */
  isRequested: boolean;
}

/**
 * The client's side of the incremental xDS protocol, without I/O: requests come out, responses go in.
 * https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#incremental-xds
 */
export class DeltaState implements ClientState<DeltaDiscoveryRequest, DeltaDiscoveryResponse> {
  readonly #node: Node;
  readonly #subscriptions: ReadonlyMap<ResourceType, Subscription>;
  #isOpen = false;

  /** Asks for everything of the types in `wildcards`, and of the others by name. */
  constructor(node: Node, wildcards: ReadonlySet<ResourceType>) {
    this.#node = node;
    this.#subscriptions = new Map(
      resourceTypes.map((type) => [
        type,
        { isWildcard: wildcards.has(type), names: new Set(), versions: new Map(), isRequested: false },
      ]),
    );
  }

  open(): readonly DeltaDiscoveryRequest[] {
    this.#isOpen = true;
    const requests: DeltaDiscoveryRequest[] = [];
    for (const [type, subscription] of this.#subscriptions) {
      if (!subscription.isWildcard && subscription.names.size === 0) continue;
      const node = requests.length === 0 ? this.#node : undefined;
      requests.push(firstRequest(type, subscription, node));
    }
    return requests;
  }

  close(): void {
    this.#isOpen = false;
    for (const subscription of this.#subscriptions.values()) subscription.isRequested = false;
  }

  subscribe(type: ResourceType, names: ReadonlySet<string>): DeltaDiscoveryRequest | undefined {
    const subscription = this.#get(type);
    const added = [...names].filter((name) => !subscription.names.has(name));
    const removed = [...subscription.names].filter((name) => !names.has(name));
    if (added.length === 0 && removed.length === 0) return undefined;
    subscription.names = new Set(names);
    for (const name of removed) subscription.versions.delete(name);
    if (!this.#isOpen) return undefined;
    if (!subscription.isRequested) return firstRequest(type, subscription, undefined);
    return request(type, { resourceNamesSubscribe: added, resourceNamesUnsubscribe: removed });
  }

  receive(response: DeltaDiscoveryResponse): Received | undefined {
    const type = resourceTypeOf(response.typeUrl);
    if (type === undefined || !this.#get(type).isRequested) return undefined;
    const subscription = this.#get(type);
    const added = new Map<string, Resource>();
    const lifetimesMs = new Map<string, number | undefined>();
    const rejections: Rejection[] = [];
    for (const resource of response.resources) {
      const isWanted = subscription.isWildcard || subscription.names.has(resource.name);
      const { ttl } = resource;
      if (isWanted) lifetimesMs.set(resource.name, ttl === undefined ? undefined : durationMs(ttl));
      // Without a body it is a heartbeat: the resource is as it was.
      if (resource.resource === undefined || (!isWanted && resource.name !== "")) continue;
      const problem = problemOf(resource, response.typeUrl, added);
      if (problem !== undefined) rejections.push({ name: resource.name, error: problem });
      else added.set(resource.name, toResource(resource, resource.resource));
    }
    const removed = [...response.removedResources, ...response.removedResourceNames.map(({ name }) => name)];
    return {
      ...{ update: { type, added: [...added.values()], removed }, rejections, lifetimesMs },
      ...{ nonce: response.nonce, version: response.systemVersionInfo },
    };
  }

  answer({ update, nonce }: Received, rejections: readonly Rejection[]): DeltaDiscoveryRequest {
    const { versions } = this.#get(update.type);
    const rejected = new Set(rejections.map(({ name }) => name));
    for (const name of update.removed) versions.delete(name);
    for (const { name, version } of update.added) {
      if (!rejected.has(name)) versions.set(name, version);
    }
    const acknowledgement = request(update.type, { responseNonce: nonce });
    if (rejections.length === 0) return acknowledgement;
    const errorDetail = { code: INVALID_ARGUMENT, message: nackText(rejections) };
    return request(update.type, { responseNonce: nonce, errorDetail });
  }

  forget(type: ResourceType, name: string): void {
    this.#get(type).versions.delete(name);
  }

  #get(type: ResourceType): Subscription {
    return this.#subscriptions.get(type) as Subscription;
  }
}

/** A wildcard is asked for by naming nothing in the first request of its type. */
function firstRequest(
  type: ResourceType,
  subscription: Subscription,
  node: Node | undefined,
): DeltaDiscoveryRequest {
  subscription.isRequested = true;
  return request(type, {
    ...(node === undefined ? {} : { node }),
    resourceNamesSubscribe: [...subscription.names],
    initialResourceVersions: Object.fromEntries(subscription.versions),
  });
}

function request(
  type: ResourceType,
  fields: MessageInitShape<typeof DeltaDiscoveryRequestSchema>,
): DeltaDiscoveryRequest {
  return create(DeltaDiscoveryRequestSchema, { ...fields, typeUrl: typeUrls[type] });
}

function problemOf(
  { name, resource }: XdsResource,
  typeUrl: string,
  others: ReadonlyMap<string, Resource>,
): ConfigError | undefined {
  if (name === "") return new ConfigError("MSM_XDS_NAME", "name", "is empty; each resource needs one");
  if (others.has(name)) {
    return new ConfigError(
      "MSM_XDS_NAME",
      "name",
      `"${name}" is in the response twice; the first one counts`,
    );
  }
  if (resource?.typeUrl !== typeUrl) {
    return new ConfigError("MSM_XDS_TYPE", "resource", `is of type "${resource?.typeUrl}", not ${typeUrl}`);
  }
  return undefined;
}

function toResource({ name, version }: XdsResource, body: Resource["body"]): Resource {
  return { name, version, body, path: "", isStatic: false };
}
