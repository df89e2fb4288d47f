// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { ClusterSchema } from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { SocketAddress_Protocol } from "@msm/xds-protos/envoy/config/core/v3/address_pb.js";
import { TypedExtensionConfigSchema } from "@msm/xds-protos/envoy/config/core/v3/extension_pb.js";
import { ClusterLoadAssignmentSchema } from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import { type Listener, ListenerSchema } from "@msm/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "@msm/xds-protos/envoy/config/route/v3/route_pb.js";
import { SecretSchema } from "@msm/xds-protos/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { loadHealthCheckers } from "../cluster/load-health-checkers.ts";
import type { FilterPlan } from "../plan.ts";
import type { RouteTablePlan } from "../routes/route-plan.ts";
import { type FilterSlot, type ListenerValue, runsAt } from "./build-plan.ts";
import type { FilterLoader } from "./filter-loader.ts";
import { type ClusterConfig, readCluster } from "./read-cluster.ts";
import { type FilterConfig, readFilter } from "./read-filter.ts";
import type { FilterUse } from "./read-filter-use.ts";
import { readListener } from "./read-listener.ts";
import { type LoadAssignment, readLoadAssignment } from "./read-load-assignment.ts";
import { readRoutes } from "./read-routes.ts";
import { readSignalling, type SignallingConfig } from "./read-signalling.ts";
import { at, refuse, refuseOthers } from "./refuse.ts";
import type { Resource, ResourceType } from "./resource.ts";
import { readSecret, type SecretValue } from "./tls/read-secret.ts";
import { unpack } from "./unpack.ts";

/** What a resource of each type comes to. */
export interface ResourceValues {
  readonly cluster: ClusterConfig;
  readonly clusterLoadAssignment: LoadAssignment;
  readonly listener: ListenerValue;
  readonly secret: SecretValue;
  readonly routeConfiguration: RouteTablePlan;
  readonly typedExtensionConfig: FilterPlan;
}

/** Reads a resource of any of the types. Rejects with a `ConfigError` where it cannot be used as it is. */
export async function readResource<Type extends ResourceType>(
  type: Type,
  resource: Resource,
  loader: FilterLoader,
): Promise<ResourceValues[Type]> {
  return (await readers[type](resource, loader)) as ResourceValues[Type];
}

const readers: {
  readonly [Type in ResourceType]: (
    resource: Resource,
    loader: FilterLoader,
  ) => ResourceValues[Type] | Promise<ResourceValues[Type]>;
} = {
  async cluster(resource) {
    const cluster = unpack(ClusterSchema, resource.body, resource.path);
    checkName(cluster.name, "name", resource);
    return readCluster(cluster, resource.path, await loadHealthCheckers());
  },

  clusterLoadAssignment(resource) {
    const assignment = unpack(ClusterLoadAssignmentSchema, resource.body, resource.path);
    checkName(assignment.clusterName, "cluster_name", resource);
    return readLoadAssignment(assignment, resource.path);
  },

  async listener(resource, loader) {
    const listener = unpack(ListenerSchema, resource.body, resource.path);
    checkName(listener.name, "name", resource);
    if (isSignalling(listener)) return loadSignalling(readSignalling(listener, resource.path), loader);
    const config = readListener(listener, resource.path);
    const filters: FilterSlot[] = [];
    for (const use of config.filters) filters.push(await loadSlot(use, loader));
    return { kind: "udp", config, filters };
  },

  secret(resource) {
    const secret = unpack(SecretSchema, resource.body, resource.path);
    checkName(secret.name, "name", resource);
    return readSecret(secret, resource.path);
  },

  routeConfiguration(resource) {
    const routes = unpack(RouteConfigurationSchema, resource.body, resource.path);
    checkName(routes.name, "name", resource);
    return readRoutes(routes, resource.path);
  },

  async typedExtensionConfig(resource, loader) {
    const extension = unpack(TypedExtensionConfigSchema, resource.body, resource.path);
    checkName(extension.name, "name", resource);
    refuseOthers(TypedExtensionConfigSchema, extension, resource.path, {
      name: "accepted",
      typed_config: "accepted",
    });
    return loader.load(extension.name, readFilter(extension.typedConfig, at(resource.path, "typed_config")));
  },
};

function checkName(inside: string, field: string, { name, path }: Resource): void {
  if (inside === name) return;
  refuse("MSM_XDS_NAME", at(path, field), `is "${inside}", but the resource is named "${name}"`);
}

/** What has filter chains is for connections, and its address says so. */
function isSignalling({ filterChains, address }: Listener): boolean {
  const isUdp =
    address?.address.case === "socketAddress" &&
    address.address.value.protocol === SocketAddress_Protocol.UDP;
  return filterChains.length > 0 && !isUdp;
}

async function loadSignalling(config: SignallingConfig, loader: FilterLoader): Promise<ListenerValue> {
  // Flows load their filters when they are opened; whoever sends the listener should learn before what is wrong.
  for (const [i, filter] of config.mediaFilters.entries()) await loader.load(`media.chain[${i}]`, filter);
  const filter = await loader.loadSignalling(config.filterName, config.filter, config.isRelay);
  return { kind: "signalling", config, filter, filters: [] };
}

async function loadSlot(use: FilterUse, loader: FilterLoader): Promise<FilterSlot> {
  const { name, stage } = use;
  const load = async (config: FilterConfig): Promise<FilterPlan> => {
    const plan = await loader.load(name, config);
    if (runsAt(plan, stage)) return plan;
    const problem = `filter ${name} does not run at stage ${stage}; see "stages" of its msm_describe`;
    return refuse("MSM_FILTER_STAGE", config.field, problem);
  };
  if (use.kind === "inline") return { kind: "loaded", stage, plan: await load(use.config) };
  const fallback = use.fallback && (await load(use.fallback));
  return { kind: "discovered", stage, name, fallback };
}
