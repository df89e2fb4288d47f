// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type Any, AnySchema, fromJson, type JsonObject, registry } from "@msm/xds-protos";
import type { Resource } from "../resource.ts";

const PREFIX = "type.googleapis.com";
const UDP_PROXY = `${PREFIX}/envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig`;
const ROUTE = `${PREFIX}/envoy.extensions.filters.udp.udp_proxy.v3.Route`;
const PLUGIN_CONFIG = `${PREFIX}/envoy.extensions.wasm.v3.PluginConfig`;
export const ADS: JsonObject = { ads: {}, resource_api_version: "V3" };

/** An `Any` of a message given as JSON, which needs its `@type`. */
export function anyOf(json: JsonObject): Any {
  return fromJson(AnySchema, json, { registry });
}

/** A resource of a control plane. */
export function resource(name: string, json: JsonObject, version = "1"): Resource {
  return { name, version, body: anyOf(json), path: "", isStatic: false };
}

export function udpAddress(port: number, address = "127.0.0.1"): JsonObject {
  return { socket_address: { protocol: "UDP", address, port_value: port } };
}

/** A `udp_proxy` to a cluster, with changes. */
export function udpProxyJson(cluster: string, changes: JsonObject = {}): JsonObject {
  const action = { name: "route", typed_config: { "@type": ROUTE, cluster } };
  return { "@type": UDP_PROXY, stat_prefix: "edge", matcher: { on_no_match: { action } }, ...changes };
}

/** A UDP listener as JSON, with changes to it and to its udp_proxy. */
export function listenerJson(
  name: string,
  port: number,
  {
    cluster = "viewer",
    udpProxy = {},
    listenerFilters = [],
    ...changes
  }: JsonObject & { cluster?: string; udpProxy?: JsonObject; listenerFilters?: JsonObject[] } = {},
): JsonObject {
  return {
    "@type": `${PREFIX}/envoy.config.listener.v3.Listener`,
    name,
    address: udpAddress(port),
    listener_filters: [
      ...listenerFilters,
      { name: "envoy.filters.udp_listener.udp_proxy", typed_config: udpProxyJson(cluster, udpProxy) },
    ],
    ...changes,
  };
}

/** A session filter that is discovered by ECDS. */
export function discoveredFilter(name: string, changes: JsonObject = {}): JsonObject {
  return { name, config_discovery: { config_source: ADS, type_urls: [PLUGIN_CONFIG], ...changes } };
}

/** A `PluginConfig` of a built-in filter. */
export function pluginJson(changes: JsonObject = {}, builtin = "pass"): JsonObject {
  return {
    "@type": PLUGIN_CONFIG,
    name: builtin,
    vm_config: { runtime: "envoy.wasm.runtime.null", code: { local: { inline_string: builtin } } },
    ...changes,
  };
}

export function ecdsJson(name: string, plugin: JsonObject = pluginJson()): JsonObject {
  return { "@type": `${PREFIX}/envoy.config.core.v3.TypedExtensionConfig`, name, typed_config: plugin };
}

export function edsClusterJson(name: string, changes: JsonObject = {}): JsonObject {
  return {
    "@type": `${PREFIX}/envoy.config.cluster.v3.Cluster`,
    name,
    type: "EDS",
    eds_cluster_config: { eds_config: ADS },
    ...changes,
  };
}

export function staticClusterJson(name: string, port: number, changes: JsonObject = {}): JsonObject {
  const { "@type": _, ...load_assignment } = assignmentJson(name, [port]);
  return { "@type": `${PREFIX}/envoy.config.cluster.v3.Cluster`, name, load_assignment, ...changes };
}

/** Endpoints of a cluster at ports of 127.0.0.1, each with changes. */
export function assignmentJson(
  cluster: string,
  ports: readonly number[],
  changes: JsonObject = {},
): JsonObject {
  const lb_endpoints = ports.map((port) => ({ endpoint: { address: udpAddress(port) }, ...changes }));
  return {
    "@type": `${PREFIX}/envoy.config.endpoint.v3.ClusterLoadAssignment`,
    cluster_name: cluster,
    endpoints: [{ lb_endpoints }],
  };
}

const SIGNALLING_PROXY = `${PREFIX}/msm.network.v1.SignallingProxy`;

/** A TCP listener with a SignallingProxy, with changes to it and to the proxy; its routes come by RDS as `edge`. */
export function signallingJson(
  name: string,
  port: number,
  { proxy = {}, ...changes }: JsonObject & { proxy?: JsonObject } = {},
): JsonObject {
  const { "@type": _, ...filter } = pluginJson();
  const isInline = "route_config" in proxy;
  const rds = isInline ? {} : { rds: { config_source: ADS, route_config_name: "edge" } };
  const typed_config = { "@type": SIGNALLING_PROXY, stat_prefix: "rtsp", ...rds, filter, ...proxy };
  return {
    "@type": `${PREFIX}/envoy.config.listener.v3.Listener`,
    name,
    address: { socket_address: { address: "127.0.0.1", port_value: port } },
    filter_chains: [{ filters: [{ name: "msm.signalling_proxy", typed_config }] }],
    ...changes,
  };
}

/** A RouteConfiguration with one virtual host for everything: one route with `/` to a cluster, or these. */
export function routesJson(name: string, routes: readonly JsonObject[] = [routeJson("cams")]): JsonObject {
  return {
    "@type": `${PREFIX}/envoy.config.route.v3.RouteConfiguration`,
    name,
    virtual_hosts: [{ name: "all", domains: ["*"], routes: [...routes] }],
  };
}

/** A route of every path to a cluster, with changes to it, its match and its action. */
export function routeJson(
  cluster: string,
  { match = {}, action = {}, ...changes }: JsonObject & { match?: JsonObject; action?: JsonObject } = {},
): JsonObject {
  return { match: { prefix: "/", ...match }, route: { cluster, ...action }, ...changes };
}
