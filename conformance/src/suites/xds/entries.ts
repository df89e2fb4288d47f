// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createEntry, type ResourceEntry } from "@msm/control-plane/xds";
import { type DescMessage, fromJson, type JsonValue, registry } from "@msm/xds-protos";
import { ClusterSchema } from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { TypedExtensionConfigSchema } from "@msm/xds-protos/envoy/config/core/v3/extension_pb.js";
import { ClusterLoadAssignmentSchema } from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "@msm/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "@msm/xds-protos/envoy/config/route/v3/route_pb.js";
import { SecretSchema } from "@msm/xds-protos/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";

const TYPE = "type.googleapis.com/envoy.extensions";
const HTTP = `${TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager`;

/** Where the resources below say that what they name comes from. */
export const ads = { ads: {}, resourceApiVersion: "V3" };

/** A per-type service in the place of ADS. */
export const separate = (variant: "sotw" | "delta") => ({
  resourceApiVersion: "V3",
  apiConfigSource: {
    apiType: variant === "delta" ? "DELTA_GRPC" : "GRPC",
    transportApiVersion: "V3",
    grpcServices: [{ envoyGrpc: { clusterName: "xds" } }],
  },
});

/** An EDS cluster; `timeoutMs` is something to change. */
export function cluster(name: string, edsConfig: object = ads, timeoutMs = 1000): ResourceEntry {
  const connectTimeout = `${timeoutMs / 1000}s`;
  const edsClusterConfig = { edsConfig };
  return entry(ClusterSchema, name, { name, type: "EDS", connectTimeout, edsClusterConfig });
}

/** A cluster's endpoints on the loopback. */
export function endpoints(name: string, ...ports: readonly number[]): ResourceEntry {
  const lbEndpoints = ports.map((port) => ({ endpoint: { address: loopback(port) } }));
  // gRPC clients refuse a group without a locality or a weight.
  const group = { locality: { zone: "z" }, loadBalancingWeight: 1, lbEndpoints };
  return entry(ClusterLoadAssignmentSchema, name, { clusterName: name, endpoints: [group] });
}

/** A TCP listener whose one filter comes by ECDS. */
export function tcpListener(name: string, port: number, filter: string, ttlMs?: number): ResourceEntry {
  const typeUrls = [`${TYPE}.filters.network.tcp_proxy.v3.TcpProxy`];
  const filters = [{ name: filter, configDiscovery: { configSource: ads, typeUrls } }];
  return entry(ListenerSchema, name, { name, address: loopback(port), filterChains: [{ filters }] }, ttlMs);
}

/** A TCP listener with its filter in place. */
export function plainTcpListener(
  name: string,
  port: number,
  clusterName: string,
  ttlMs?: number,
): ResourceEntry {
  const typedConfig = tcpProxy(clusterName);
  const filters = [{ name: "tcp", typedConfig }];
  return entry(ListenerSchema, name, { name, address: loopback(port), filterChains: [{ filters }] }, ttlMs);
}

/** A UDP listener that relays to a cluster. */
export function udpListener(name: string, port: number, clusterName: string, ttlMs?: number): ResourceEntry {
  const route = {
    "@type": `${TYPE}.filters.udp.udp_proxy.v3.Route`,
    cluster: clusterName,
  };
  const typedConfig = {
    "@type": `${TYPE}.filters.udp.udp_proxy.v3.UdpProxyConfig`,
    statPrefix: name,
    matcher: { onNoMatch: { action: { name: "route", typedConfig: route } } },
  };
  const address = { socketAddress: { address: "127.0.0.1", portValue: port, protocol: "UDP" } };
  const listenerFilters = [{ name: "udp", typedConfig }];
  const udpListenerConfig = { downstreamSocketConfig: {} };
  return entry(ListenerSchema, name, { name, address, udpListenerConfig, listenerFilters }, ttlMs);
}

/** The ECDS resource of such a filter. */
export function tcpFilter(name: string, clusterName: string): ResourceEntry {
  return entry(TypedExtensionConfigSchema, name, { name, typedConfig: tcpProxy(clusterName) });
}

/** An HTTPS listener with its route by RDS and its certificate by SDS. */
export function httpsListener(name: string, port: number, route: string, secret: string): ResourceEntry {
  const manager = { "@type": HTTP, statPrefix: name, rds: { routeConfigName: route, configSource: ads } };
  const router = { name: "router", typedConfig: { "@type": `${TYPE}.filters.http.router.v3.Router` } };
  const tls = {
    "@type": `${TYPE}.transport_sockets.tls.v3.DownstreamTlsContext`,
    commonTlsContext: { tlsCertificateSdsSecretConfigs: [{ name: secret, sdsConfig: ads }] },
  };
  const chain = {
    filters: [{ name: "http", typedConfig: { ...manager, httpFilters: [router] } }],
    transportSocket: { name: "envoy.transport_sockets.tls", typedConfig: tls },
  };
  return entry(ListenerSchema, name, { name, address: loopback(port), filterChains: [chain] });
}

/** A listener as gRPC clients ask for it: its name is the target of their channel. */
export function grpcListener(name: string, route: string): ResourceEntry {
  const apiListener = {
    "@type": HTTP,
    rds: { routeConfigName: route, configSource: ads },
    httpFilters: [{ name: "router", typedConfig: { "@type": `${TYPE}.filters.http.router.v3.Router` } }],
  };
  return entry(ListenerSchema, name, { name, apiListener: { apiListener } });
}

/** A route of everything to one cluster. */
export function route(name: string, clusterName: string): ResourceEntry {
  const routes = [{ match: { prefix: "/" }, route: { cluster: clusterName } }];
  const virtualHosts = [{ name: "all", domains: ["*"], routes }];
  return entry(RouteConfigurationSchema, name, { name, virtualHosts });
}

/** A certificate and its key, PEM. */
export function secret(name: string, certificate: string, privateKey: string): ResourceEntry {
  const tlsCertificate = {
    certificateChain: { inlineString: certificate },
    privateKey: { inlineString: privateKey },
  };
  return entry(SecretSchema, name, { name, tlsCertificate });
}

function tcpProxy(clusterName: string) {
  return {
    "@type": `${TYPE}.filters.network.tcp_proxy.v3.TcpProxy`,
    statPrefix: "tcp",
    cluster: clusterName,
  };
}

function loopback(port: number) {
  return { socketAddress: { address: "127.0.0.1", portValue: port } };
}

function entry(schema: DescMessage, name: string, json: object, ttlMs?: number): ResourceEntry {
  return createEntry(
    schema,
    name,
    fromJson(schema, json as JsonValue, { registry }),
    ttlMs === undefined ? {} : { ttlMs },
  );
}
