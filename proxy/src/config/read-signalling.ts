// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { packAny } from "@msm/xds-protos";
import { TrafficDirection } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import {
  type Filter,
  type FilterChain,
  FilterChainSchema,
  FilterSchema,
} from "@msm/xds-protos/envoy/config/listener/v3/listener_components_pb.js";
import { type Listener, ListenerSchema } from "@msm/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { RdsSchema } from "@msm/xds-protos/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { type PluginConfig, PluginConfigSchema } from "@msm/xds-protos/envoy/extensions/wasm/v3/wasm_pb.js";
import {
  type SignallingProxy,
  SignallingProxySchema,
} from "@msm/xds-protos/msm/network/v1/signalling_proxy_pb.js";
import type { SocketAddress } from "../plan.ts";
import type { RouteTablePlan } from "../routes/route-plan.ts";
import type { SignallingOptions } from "../signalling/signalling-options.ts";
import { readAddress } from "./read-address.ts";
import { checkAwaitedSource } from "./read-config-source.ts";
import { type FilterConfig, readFilter } from "./read-filter.ts";
import { refuseListenerLimits } from "./read-listener-limits.ts";
import { readMediaOptions, readTime } from "./read-media-options.ts";
import { isRelay, readRelay } from "./read-relay.ts";
import { readRoutes } from "./read-routes.ts";
import { at, onlyTrue, refuse, refuseOthers } from "./refuse.ts";
import { readServerTls, type ServerTlsConfig } from "./tls/read-server-tls.ts";
import { unpack } from "./unpack.ts";

/** A signalling listener as configured: filters still to be loaded, routes perhaps still to come. */
export interface SignallingConfig {
  readonly name: string;
  readonly address: SocketAddress;
  readonly statPrefix: string;
  readonly filterName: string;
  readonly filter: FilterConfig;
  /** Whether connections are relayed with the filter between them. */
  readonly isRelay?: boolean;
  readonly routes:
    | { readonly kind: "inline"; readonly table: RouteTablePlan }
    | { readonly kind: "rds"; readonly name: string };
  readonly options: SignallingOptions;
  readonly mediaChain: readonly PluginConfig[];
  /** The same, as they are loaded to see that they can be. */
  readonly mediaFilters: readonly FilterConfig[];
  readonly maxConnections: number;
  /** Plain text without. */
  readonly tls?: ServerTlsConfig;
  readonly isInbound?: boolean;
}

const DEFAULT_MAX_CONNECTIONS = 10_000;
const DEFAULT_IDLE_TIMEOUT_MS = 60_000;

/** Reads a TCP listener with its SignallingProxy. Pure. Throws a `ConfigError` on whatever would not be honoured. */
export function readSignalling(listener: Listener, path: string): SignallingConfig {
  refuseOthers(ListenerSchema, listener, path, {
    name: "accepted",
    address: "accepted",
    filter_chains: "accepted",
    bind_to_port: onlyTrue,
    // One worker has the port, however it could be shared.
    enable_reuse_port: "accepted",
    stat_prefix: "accepted",
    metadata: "accepted",
    traffic_direction: "accepted",
    drain_type: "accepted",
  });
  if (listener.name === "") refuse("MSM_CONFIG_MISSING", at(path, "name"), "is needed");
  refuseListenerLimits(listener.metadata, at(path, "metadata"));
  const { address, port } = readAddress(listener.address, at(path, "address"));
  const chainsPath = at(path, "filter_chains");
  const [chain, ...others] = listener.filterChains;
  if (chain === undefined || others.length > 0) {
    refuse("MSM_LISTENER_FILTER_CHAIN", chainsPath, "must be exactly one, without a filter_chain_match");
  }
  const tls = readServerTls(chain.transportSocket, `${chainsPath}[0].transport_socket`);
  return {
    ...{ name: listener.name, address: { address, port }, ...readChain(chain, `${chainsPath}[0]`) },
    ...(tls === undefined ? {} : { tls }),
    ...(listener.trafficDirection === TrafficDirection.INBOUND ? { isInbound: true } : {}),
  };
}

function readChain(chain: FilterChain, path: string): Omit<SignallingConfig, "name" | "address"> {
  refuseOthers(FilterChainSchema, chain, path, {
    filters: "accepted",
    name: "accepted",
    metadata: "accepted",
    transport_socket: "accepted",
  });
  if (isRelay(chain.filters)) return readRelay(chain.filters, at(path, "filters"));
  const [filter, ...others]: readonly Filter[] = chain.filters;
  if (filter === undefined || others.length > 0) {
    const problem = `must be exactly one ${SignallingProxySchema.typeName}, or a Wasm filter and a tcp_proxy`;
    refuse("MSM_LISTENER_FILTER_CHAIN", at(path, "filters"), problem);
  }
  const filterPath = `${at(path, "filters")}[0]`;
  refuseOthers(FilterSchema, filter, filterPath, { name: "accepted", typed_config: "accepted" });
  const config = filter.configType.case === "typedConfig" ? filter.configType.value : undefined;
  const configPath = at(filterPath, "typed_config");
  return readProxy(unpack(SignallingProxySchema, config, configPath), configPath);
}

function readProxy(proxy: SignallingProxy, path: string): Omit<SignallingConfig, "name" | "address"> {
  refuseOthers(SignallingProxySchema, proxy, path, {
    ...{ stat_prefix: "accepted", rds: "accepted", route_config: "accepted", filter: "accepted" },
    ...{ media: "accepted", max_connections: "accepted", idle_timeout: "accepted" },
  });
  const { filter, media, maxConnections = DEFAULT_MAX_CONNECTIONS } = proxy;
  const filterPath = at(path, "filter");
  const filterConfig = readPlugin(filter, filterPath);
  if (filterConfig.failurePolicy === "FAIL_OPEN") {
    const problem = "cannot be FAIL_OPEN here: without the filter nobody speaks the protocol";
    refuse("MSM_FILTER_FAILURE_POLICY", at(filterPath, "failure_policy"), problem);
  }
  if (maxConnections === 0) refuse("MSM_CONFIG_INVALID", at(path, "max_connections"), "must be above 0");
  const mediaPath = at(path, "media");
  const chain = media?.chain ?? [];
  const idleTimeoutMs = readTime(proxy.idleTimeout, DEFAULT_IDLE_TIMEOUT_MS, at(path, "idle_timeout"));
  return {
    statPrefix: proxy.statPrefix,
    filterName: filter?.name || "signalling",
    filter: filterConfig,
    routes: readRouteSpecifier(proxy.routeSpecifier, path),
    options: { ...readMediaOptions(media, mediaPath), idleTimeoutMs },
    mediaChain: chain,
    mediaFilters: chain.map((plugin, i) => readPlugin(plugin, `${at(mediaPath, "chain")}[${i}]`)),
    maxConnections,
  };
}

function readPlugin(plugin: PluginConfig | undefined, path: string): FilterConfig {
  return readFilter(plugin && packAny(PluginConfigSchema, plugin), path);
}

function readRouteSpecifier(
  { case: kind, value }: SignallingProxy["routeSpecifier"],
  path: string,
): SignallingConfig["routes"] {
  if (kind === "routeConfig") return { kind: "inline", table: readRoutes(value, at(path, "route_config")) };
  const rdsPath = at(path, "rds");
  if (kind !== "rds") return refuse("MSM_CONFIG_MISSING", rdsPath, "or route_config is needed");
  refuseOthers(RdsSchema, value, rdsPath, { config_source: "accepted", route_config_name: "accepted" });
  checkAwaitedSource(value.configSource, at(rdsPath, "config_source"));
  if (value.routeConfigName === "") {
    refuse("MSM_CONFIG_MISSING", at(rdsPath, "route_config_name"), "is needed");
  }
  return { kind: "rds", name: value.routeConfigName };
}
