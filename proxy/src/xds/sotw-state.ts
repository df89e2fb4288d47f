// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { create, typeUrls } from "@msm/xds-protos";
import type { Node } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
} from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import {
  digestOf,
  type Rejection,
  type Resource,
  type ResourceType,
  resourceTypeOf,
  resourceTypes,
} from "../config/resource.ts";
import { ConfigError } from "../config-error.ts";
import { type ClientState, INVALID_ARGUMENT, type Received } from "./client-state.ts";
import { nackText } from "./nack-text.ts";
import { type SotwResource, sotwResource } from "./sotw-resource.ts";

/** What is known and wanted of one type. */
interface Subscription {
  /** Whether a response holds everything, so that what it lacks is gone. */
  readonly isWhole: boolean;
  readonly isWildcard: boolean;
  names: ReadonlySet<string>;
  /** Digests of what was accepted, by name, and nothing for what was refused. They outlive streams. */
  readonly digests: Map<string, string>;
  /** The version of the last response that was accepted as a whole. */
  version: string;
  nonce: string;
  /** Whether this stream was asked for the type. */
  isRequested: boolean;
}

/** The types of which a response is the whole state (xds_protocol.rst, "Grouping Resources into Responses"). */
const WHOLE: ReadonlySet<ResourceType> = new Set(["cluster", "listener"]);

/**
 * The client's side of the state-of-the-world variant of the xDS protocol, without I/O.
 * https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#basic-protocol-overview
 */
export class SotwState implements ClientState<DiscoveryRequest, DiscoveryResponse> {
  readonly #node: Node;
  readonly #subscriptions: ReadonlyMap<ResourceType, Subscription>;
  #isOpen = false;

  /** Asks for everything of the types in `wildcards`, and of the others by name. */
  constructor(node: Node, wildcards: ReadonlySet<ResourceType>) {
    this.#node = node;
    this.#subscriptions = new Map(resourceTypes.map((type) => [type, newSubscription(type, wildcards)]));
  }

  open(): readonly DiscoveryRequest[] {
    this.#isOpen = true;
    const requests: DiscoveryRequest[] = [];
    for (const [type, subscription] of this.#subscriptions) {
      if (!subscription.isWildcard && subscription.names.size === 0) continue;
      subscription.isRequested = true;
      const node = requests.length === 0 ? { node: this.#node } : {};
      requests.push(create(DiscoveryRequestSchema, { ...node, ...stateOf(type, subscription) }));
    }
    return requests;
  }

  close(): void {
    this.#isOpen = false;
    for (const subscription of this.#subscriptions.values()) {
      subscription.isRequested = false;
      subscription.nonce = "";
    }
  }

  subscribe(type: ResourceType, names: ReadonlySet<string>): DiscoveryRequest | undefined {
    const subscription = this.#get(type);
    const added = [...names].filter((name) => !subscription.names.has(name));
    const removed = [...subscription.names].filter((name) => !names.has(name));
    if (added.length === 0 && removed.length === 0) return undefined;
    subscription.names = new Set(names);
    for (const name of removed) subscription.digests.delete(name);
    if (!this.#isOpen) {
      // A server that knows the version only would think that there is nothing to send.
      subscription.version = "";
      return undefined;
    }
    subscription.isRequested = true;
    return create(DiscoveryRequestSchema, stateOf(type, subscription));
  }

  receive(response: DiscoveryResponse): Received | undefined {
    const type = resourceTypeOf(response.typeUrl);
    if (type === undefined || !this.#get(type).isRequested) return undefined;
    const subscription = this.#get(type);
    const version = response.versionInfo;
    const added = new Map<string, Resource>();
    const lifetimesMs = new Map<string, number | undefined>();
    const rejections: Rejection[] = [];
    let hasContent = response.resources.length === 0;
    for (const item of response.resources) {
      const resource = sotwResource(item, response.typeUrl);
      const problem = problemOf(resource, lifetimesMs);
      if (problem !== undefined) {
        rejections.push({ name: resource.name, error: problem });
        continue;
      }
      const { name, body } = resource;
      const isWanted = subscription.isWildcard || subscription.names.has(name);
      if (!isWanted) continue;
      lifetimesMs.set(name, resource.lifetimeMs);
      hasContent ||= body !== undefined;
      // Without a body it is a heartbeat. What is as it was is not applied again: the version is that of all.
      if (body === undefined || digestOf(body) === subscription.digests.get(name)) continue;
      added.set(name, { name, version, body, path: "", isStatic: false });
    }
    // What cannot be told from a resource that is held must not count as its removal.
    const isWhole = subscription.isWhole && hasContent && rejections.every(({ name }) => name !== "");
    const named = new Set([...lifetimesMs.keys(), ...rejections.map(({ name }) => name)]);
    const removed = isWhole ? [...subscription.digests.keys()].filter((name) => !named.has(name)) : [];
    subscription.nonce = response.nonce;
    return {
      ...{ update: { type, added: [...added.values()], removed }, rejections, lifetimesMs },
      ...{ nonce: response.nonce, version },
    };
  }

  answer({ update, nonce, version }: Received, rejections: readonly Rejection[]): DiscoveryRequest {
    const subscription = this.#get(update.type);
    const rejected = new Set(rejections.map(({ name }) => name));
    for (const name of update.removed) subscription.digests.delete(name);
    for (const { name, body } of update.added) {
      subscription.digests.set(name, rejected.has(name) ? "" : digestOf(body));
    }
    if (rejections.length === 0) subscription.version = version;
    const fields = { ...stateOf(update.type, subscription), responseNonce: nonce };
    if (rejections.length === 0) return create(DiscoveryRequestSchema, fields);
    const errorDetail = { code: INVALID_ARGUMENT, message: nackText(rejections) };
    return create(DiscoveryRequestSchema, { ...fields, errorDetail });
  }

  forget(type: ResourceType, name: string): void {
    const subscription = this.#get(type);
    subscription.digests.delete(name);
    subscription.version = "";
  }

  #get(type: ResourceType): Subscription {
    return this.#subscriptions.get(type) as Subscription;
  }
}

function newSubscription(type: ResourceType, wildcards: ReadonlySet<ResourceType>): Subscription {
  return {
    ...{ isWhole: WHOLE.has(type), isWildcard: wildcards.has(type), names: new Set<string>() },
    ...{ digests: new Map<string, string>(), version: "", nonce: "", isRequested: false },
  };
}

/** Every request of this variant says all that is wanted and all that is known. */
function stateOf(type: ResourceType, { names, version, nonce }: Subscription) {
  const resourceNames = [...names];
  return { typeUrl: typeUrls[type], resourceNames, versionInfo: version, responseNonce: nonce };
}

function problemOf(
  { name, problem }: SotwResource,
  others: ReadonlyMap<string, unknown>,
): ConfigError | undefined {
  if (problem !== undefined) return problem;
  if (name === "") return new ConfigError("MSM_XDS_NAME", "name", "is empty; each resource needs one");
  if (!others.has(name)) return undefined;
  const text = `"${name}" is in the response twice; the first one counts`;
  return new ConfigError("MSM_XDS_NAME", "name", text);
}
