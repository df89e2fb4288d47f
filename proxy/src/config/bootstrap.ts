// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type DescMessage, fromJson, type JsonValue, type MessageShape } from "@bufbuild/protobuf";
import { create, packAny, registry, validate } from "@msm/xds-protos";
import {
  type Admin,
  AdminSchema,
  type Bootstrap,
  Bootstrap_StaticResourcesSchema,
  BootstrapSchema,
} from "@msm/xds-protos/envoy/config/bootstrap/v3/bootstrap_pb.js";
import { ClusterSchema } from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { type Node, NodeSchema } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import { ListenerSchema } from "@msm/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { ConfigError } from "../config-error.ts";
import type { SocketAddress } from "../plan.ts";
import { BootstrapError } from "./bootstrap-error.ts";
import type { BootstrapSource } from "./bootstrap-source.ts";
import { findJsonProblems } from "./find-json-problems.ts";
import { readAddress } from "./read-address.ts";
import { type AdsConfig, readAds } from "./read-ads.ts";
import { refuse, refuseOthers } from "./refuse.ts";
import type { Resource, ResourceType } from "./resource.ts";

/** What a bootstrap says, after every check but those of the static resources. */
export interface BootstrapConfig {
  /** As Envoy's message, for `/config_dump`. */
  readonly message: Bootstrap;
  readonly node: Node;
  readonly adminAddress: SocketAddress;
  readonly ads: AdsConfig | undefined;
  /** In the order in which they must be applied: clusters, then listeners. */
  readonly staticResources: readonly { readonly type: ResourceType; readonly added: readonly Resource[] }[];
}

/** Who this node is, where the command line says it. */
export interface NodeOverrides {
  readonly id?: string | undefined;
  readonly cluster?: string | undefined;
}

/** Where the admin interface listens unless the bootstrap says it: only this host, and Istio's port. */
const DEFAULT_ADMIN_ADDRESS: SocketAddress = { address: "127.0.0.1", port: 15000 };

/** Reads a bootstrap in the shape of `envoy.config.bootstrap.v3.Bootstrap`. Throws a `BootstrapError`. */
export function readBootstrap(source: BootstrapSource, overrides: NodeOverrides = {}): BootstrapConfig {
  const message = decode(source);
  const node = message.node ?? create(NodeSchema);
  if (overrides.id !== undefined) node.id = overrides.id;
  if (overrides.cluster !== undefined) node.cluster = overrides.cluster;
  message.node = node;
  const problems = validate(BootstrapSchema, message).map(
    ({ path, message: reason }) => new ConfigError("MSM_CONFIG_INVALID", path, reason),
  );
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(error);
      return undefined;
    }
  };
  attempt(() => checkFields(message));
  const adminAddress = attempt(() => readAdmin(message.admin));
  const ads = attempt(() => readAds(message));
  attempt(() => checkNode(node, ads));
  const staticResources = attempt(() => readStatic(message, ads?.clusterNames ?? new Set()));
  if (problems.length > 0) throw bootstrapError(source, problems);
  return {
    message,
    node,
    adminAddress: adminAddress ?? DEFAULT_ADMIN_ADDRESS,
    ads,
    staticResources: staticResources ?? [],
  };
}

/** Puts problems of a bootstrap, by their paths in it, into one error that names their lines. */
export function bootstrapError(source: BootstrapSource, errors: readonly ConfigError[]): BootstrapError {
  const problems = errors.map((error) => ({ error, position: source.locate(error.field) }));
  return new BootstrapError(source.name, problems);
}

function decode(source: BootstrapSource): Bootstrap {
  const json = (source.json ?? {}) as JsonValue;
  try {
    return fromJson(BootstrapSchema, json, { registry });
  } catch {
    const problems = findJsonProblems(BootstrapSchema, json).map(
      ({ path, reason }) => new ConfigError("MSM_BOOTSTRAP_SHAPE", path === "" ? "file" : path, reason),
    );
    throw bootstrapError(source, problems);
  }
}

function checkFields(bootstrap: Bootstrap): void {
  refuseOthers(BootstrapSchema, bootstrap, "", {
    node: "accepted",
    admin: "accepted",
    static_resources: "accepted",
    dynamic_resources: "accepted",
    // There are no statistics sinks to flush to.
    stats_flush_interval: "accepted",
  });
}

function readAdmin(admin: Admin | undefined): SocketAddress {
  if (admin === undefined) return DEFAULT_ADMIN_ADDRESS;
  refuseOthers(AdminSchema, admin, "admin", { address: "accepted" });
  if (admin.address === undefined) return DEFAULT_ADMIN_ADDRESS;
  const { address, port } = readAddress(admin.address, "admin.address");
  return { address, port };
}

function checkNode(node: Node, ads: AdsConfig | undefined): void {
  if (ads === undefined) return;
  if (node.id === "")
    refuse("MSM_BOOTSTRAP_NODE", "node.id", "is needed; the control plane knows the proxy by it");
  if (node.cluster === "")
    refuse("MSM_BOOTSTRAP_NODE", "node.cluster", "is needed; it groups proxies that serve alike");
}

function readStatic(
  bootstrap: Bootstrap,
  adsClusters: ReadonlySet<string>,
): BootstrapConfig["staticResources"] {
  const resources = bootstrap.staticResources;
  if (resources === undefined) return [];
  refuseOthers(Bootstrap_StaticResourcesSchema, resources, "static_resources", {
    listeners: "accepted",
    clusters: "accepted",
  });
  const clusters = toResources(ClusterSchema, resources.clusters, "static_resources.clusters");
  const listeners = toResources(ListenerSchema, resources.listeners, "static_resources.listeners");
  return [
    { type: "cluster", added: clusters.filter(({ name }) => !adsClusters.has(name)) },
    { type: "listener", added: listeners },
  ];
}

function toResources<Desc extends DescMessage>(
  schema: Desc,
  messages: readonly (MessageShape<Desc> & { readonly name: string })[],
  listPath: string,
): readonly Resource[] {
  const names = new Set<string>();
  return messages.map((message, index) => {
    const path = `${listPath}[${index}]`;
    const { name } = message;
    if (names.has(name)) {
      refuse(
        "MSM_BOOTSTRAP_DUPLICATE_NAME",
        `${path}.name`,
        `"${name}" is used twice; rename one of the two`,
      );
    }
    names.add(name);
    return { name, version: "", body: packAny(schema, message), path, isStatic: true };
  });
}
