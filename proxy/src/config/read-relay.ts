// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { fromJson, type JsonObject, packAny } from "@msm/xds-protos";
import {
  type Filter,
  FilterSchema,
} from "@msm/xds-protos/envoy/config/listener/v3/listener_components_pb.js";
import { RouteConfigurationSchema } from "@msm/xds-protos/envoy/config/route/v3/route_pb.js";
import {
  type TcpProxy,
  type TcpProxy_WeightedCluster,
  TcpProxy_WeightedCluster_ClusterWeightSchema,
  TcpProxy_WeightedClusterSchema,
  TcpProxySchema,
} from "@msm/xds-protos/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { WasmSchema } from "@msm/xds-protos/envoy/extensions/filters/network/wasm/v3/wasm_pb.js";
import { PluginConfigSchema } from "@msm/xds-protos/envoy/extensions/wasm/v3/wasm_pb.js";
import type { RouteTablePlan } from "../routes/route-plan.ts";
import type { SignallingOptions } from "../signalling/signalling-options.ts";
import { readFilter } from "./read-filter.ts";
import { readTime } from "./read-media-options.ts";
import { readRoutes } from "./read-routes.ts";
import type { SignallingConfig } from "./read-signalling.ts";
import { at, refuse, refuseOthers } from "./refuse.ts";
import { typeNameOf, unpack } from "./unpack.ts";

/** Envoy's default. */
const DEFAULT_IDLE_TIMEOUT_MS = 3_600_000;

/** What bounds a listener beside the system itself; Envoy has no limit of its own here. */
const MAX_CONNECTIONS = 10_000;

/** What signalling filters are told; network filters are not. */
const NO_MEDIA: Omit<SignallingOptions, "idleTimeoutMs"> = {
  advertisedAddress: "",
  localAddress: "",
  upstreamTransport: "AUTOMATIC",
  upstreamLingerMs: 0,
  maxFlowsPerConnection: 0,
};

/** Whether a chain ends in Envoy's `tcp_proxy`. */
export function isRelay(filters: readonly Filter[]): boolean {
  const last = filters.at(-1)?.configType;
  return last?.case === "typedConfig" && typeNameOf(last.value.typeUrl) === TcpProxySchema.typeName;
}

/**
 * Reads a chain of `envoy.extensions.filters.network.wasm.v3.Wasm` and `tcp_proxy`. Pure. Throws a `ConfigError` on
 * whatever would not be honoured.
 */
export function readRelay(
  filters: readonly Filter[],
  path: string,
): Omit<SignallingConfig, "name" | "address"> {
  const [wasm, tcpProxy, ...others] = filters;
  if (wasm === undefined || tcpProxy === undefined || others.length > 0) {
    const problem = `must be one ${WasmSchema.typeName} and, behind it, one ${TcpProxySchema.typeName}`;
    refuse("MSM_LISTENER_FILTER_CHAIN", path, problem);
  }
  const { config } = unpack(WasmSchema, configOf(wasm, `${path}[0]`), `${path}[0].typed_config`);
  const filter = readFilter(config && packAny(PluginConfigSchema, config), `${path}[0].typed_config.config`);
  const proxyPath = `${path}[1].typed_config`;
  const proxy = unpack(TcpProxySchema, configOf(tcpProxy, `${path}[1]`), proxyPath);
  refuseOthers(TcpProxySchema, proxy, proxyPath, {
    stat_prefix: "accepted",
    cluster: "accepted",
    weighted_clusters: "accepted",
    idle_timeout: "accepted",
    max_connect_attempts: { only: 1, hint: "remove it; an endpoint is tried once" },
  });
  const idleTimeoutMs = readTime(proxy.idleTimeout, DEFAULT_IDLE_TIMEOUT_MS, at(proxyPath, "idle_timeout"));
  return {
    statPrefix: proxy.statPrefix,
    filterName: config?.name || wasm.name || "network",
    filter,
    isRelay: true,
    routes: { kind: "inline", table: readClusters(proxy.clusterSpecifier, proxyPath) },
    options: { ...NO_MEDIA, idleTimeoutMs },
    mediaChain: [],
    mediaFilters: [],
    maxConnections: MAX_CONNECTIONS,
  };
}

function configOf(filter: Filter, path: string) {
  refuseOthers(FilterSchema, filter, path, { name: "accepted", typed_config: "accepted" });
  return filter.configType.case === "typedConfig" ? filter.configType.value : undefined;
}

/** The clusters as a table with one route for everything: endpoints are then chosen as for any other route. */
function readClusters(specifier: TcpProxy["clusterSpecifier"], path: string): RouteTablePlan {
  switch (specifier.case) {
    case "cluster":
      return tableOf({ cluster: specifier.value }, path);
    case "weightedClusters":
      return tableOf(
        { weighted_clusters: { clusters: readWeights(specifier.value, at(path, "weighted_clusters")) } },
        path,
      );
    default:
      return refuse("MSM_CONFIG_MISSING", at(path, "cluster"), "is needed");
  }
}

function readWeights(weighted: TcpProxy_WeightedCluster, path: string): JsonObject[] {
  refuseOthers(TcpProxy_WeightedClusterSchema, weighted, path, { clusters: "accepted" });
  return weighted.clusters.map((cluster, i) => {
    const rules = { name: "accepted", weight: "accepted" } as const;
    refuseOthers(TcpProxy_WeightedCluster_ClusterWeightSchema, cluster, `${path}.clusters[${i}]`, rules);
    return { name: cluster.name, weight: cluster.weight };
  });
}

function tableOf(route: JsonObject, path: string): RouteTablePlan {
  const host = { name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route }] };
  return readRoutes(fromJson(RouteConfigurationSchema, { name: "all", virtual_hosts: [host] }), path);
}
