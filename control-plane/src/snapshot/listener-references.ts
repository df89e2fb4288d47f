// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { isMessage, type Message, typeUrls, unpackAny } from "@msm/xds-protos";
import type { FilterChain } from "@msm/xds-protos/envoy/config/listener/v3/listener_components_pb.js";
import type { Listener } from "@msm/xds-protos/envoy/config/listener/v3/listener_pb.js";
import {
  type HttpConnectionManager,
  HttpConnectionManagerSchema,
} from "@msm/xds-protos/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import {
  type TcpProxy,
  TcpProxySchema,
} from "@msm/xds-protos/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { RouteSchema } from "@msm/xds-protos/envoy/extensions/filters/udp/udp_proxy/v3/route_pb.js";
import {
  type UdpProxyConfig,
  UdpProxyConfigSchema,
} from "@msm/xds-protos/envoy/extensions/filters/udp/udp_proxy/v3/udp_proxy_pb.js";
import {
  type SignallingProxy,
  SignallingProxySchema,
} from "@msm/xds-protos/msm/network/v1/signalling_proxy_pb.js";
import type { ResourceReference } from "./references.ts";
import { routeReferences } from "./route-references.ts";
import { transportReferences } from "./transport-references.ts";

/** The clusters, routes, filters and secrets that a listener names. */
export function listenerReferences(listener: Listener): ResourceReference[] {
  const { filterChains, defaultFilterChain, listenerFilters, apiListener } = listener;
  const api = apiListener?.apiListener === undefined ? undefined : unpackAny(apiListener.apiListener);
  const chains = defaultFilterChain === undefined ? filterChains : [...filterChains, defaultFilterChain];
  return [
    ...listenerFilters.flatMap(filterReferences),
    ...(api === undefined ? [] : configReferences(api)),
    ...chains.flatMap(chainReferences),
  ];
}

/** Any filter of Envoy's: configured in place, or by ECDS under its own name. */
interface AnyFilter {
  readonly name: string;
  readonly configType: { readonly case: string | undefined; readonly value?: unknown };
}

function chainReferences({ filters, transportSocket }: FilterChain): ResourceReference[] {
  return [...filters.flatMap(filterReferences), ...transportReferences(transportSocket)];
}

function filterReferences({ name, configType }: AnyFilter): ResourceReference[] {
  if (configType.case === "configDiscovery") return [{ typeUrl: typeUrls.typedExtensionConfig, name }];
  if (configType.case !== "typedConfig") return [];
  const config = unpackAny(configType.value as Parameters<typeof unpackAny>[0]);
  return config === undefined ? [] : configReferences(config);
}

function configReferences(config: Message): ResourceReference[] {
  if (isMessage(config, UdpProxyConfigSchema)) return udpProxyReferences(config);
  if (isMessage(config, TcpProxySchema)) return tcpProxyReferences(config);
  if (isMessage(config, SignallingProxySchema)) return routesOf(config);
  return isMessage(config, HttpConnectionManagerSchema) ? httpReferences(config) : [];
}

function udpProxyReferences(config: UdpProxyConfig): ResourceReference[] {
  const cluster = clusterOf(config);
  const filters = config.sessionFilters.flatMap(filterReferences);
  return cluster === undefined ? filters : [{ typeUrl: typeUrls.cluster, name: cluster }, ...filters];
}

function clusterOf({ routeSpecifier }: UdpProxyConfig): string | undefined {
  if (routeSpecifier.case !== "matcher") return undefined;
  const onMatch = routeSpecifier.value.onNoMatch?.onMatch;
  const action = onMatch?.case === "action" ? onMatch.value.typedConfig : undefined;
  const route = action === undefined ? undefined : unpackAny(action);
  return isMessage(route, RouteSchema) ? route.cluster : undefined;
}

function tcpProxyReferences({ clusterSpecifier: { case: kind, value } }: TcpProxy): ResourceReference[] {
  const names =
    kind === "cluster"
      ? [value]
      : kind === "weightedClusters"
        ? value.clusters.map((weighted) => weighted.name)
        : [];
  return names.map((name) => ({ typeUrl: typeUrls.cluster, name }));
}

function httpReferences(config: HttpConnectionManager): ResourceReference[] {
  return [...routesOf(config), ...config.httpFilters.flatMap(filterReferences)];
}

function routesOf({ routeSpecifier }: HttpConnectionManager | SignallingProxy): ResourceReference[] {
  if (routeSpecifier.case === "routeConfig") return routeReferences(routeSpecifier.value);
  if (routeSpecifier.case !== "rds") return [];
  return [{ typeUrl: typeUrls.routeConfiguration, name: routeSpecifier.value.routeConfigName }];
}
