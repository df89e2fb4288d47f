// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { isMessage, type Message, typeUrls, unpackAny } from "@msm/xds-protos";
import {
  type Cluster,
  Cluster_DiscoveryType,
  ClusterSchema,
} from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { ListenerSchema } from "@msm/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { RouteSchema } from "@msm/xds-protos/envoy/extensions/filters/udp/udp_proxy/v3/route_pb.js";
import {
  type UdpProxyConfig,
  UdpProxyConfigSchema,
} from "@msm/xds-protos/envoy/extensions/filters/udp/udp_proxy/v3/udp_proxy_pb.js";

/** A resource that another one names. */
export interface ResourceReference {
  readonly typeUrl: string;
  readonly name: string;
}

/** The resources that a message of ours names: a cluster its endpoints, a listener its cluster and filters. */
export function referencesOf(message: Message): readonly ResourceReference[] {
  if (isMessage(message, ClusterSchema)) return clusterReferences(message);
  if (!isMessage(message, ListenerSchema)) return [];
  return message.listenerFilters.flatMap(({ configType }) => {
    const config = configType.case === "typedConfig" ? unpackAny(configType.value) : undefined;
    return isMessage(config, UdpProxyConfigSchema) ? udpProxyReferences(config) : [];
  });
}

function clusterReferences(cluster: Cluster): ResourceReference[] {
  const discovery = cluster.clusterDiscoveryType;
  if (discovery.case !== "type" || discovery.value !== Cluster_DiscoveryType.EDS) return [];
  const name = cluster.edsClusterConfig?.serviceName || cluster.name;
  return [{ typeUrl: typeUrls.clusterLoadAssignment, name }];
}

function udpProxyReferences(config: UdpProxyConfig): ResourceReference[] {
  const filters = config.sessionFilters
    .filter(({ configType }) => configType.case === "configDiscovery")
    .map(({ name }): ResourceReference => ({ typeUrl: typeUrls.typedExtensionConfig, name }));
  const cluster = clusterOf(config);
  return cluster === undefined ? filters : [{ typeUrl: typeUrls.cluster, name: cluster }, ...filters];
}

function clusterOf({ routeSpecifier }: UdpProxyConfig): string | undefined {
  if (routeSpecifier.case !== "matcher") return undefined;
  const onMatch = routeSpecifier.value.onNoMatch?.onMatch;
  const action = onMatch?.case === "action" ? onMatch.value.typedConfig : undefined;
  const route = action === undefined ? undefined : unpackAny(action);
  return isMessage(route, RouteSchema) ? route.cluster : undefined;
}
