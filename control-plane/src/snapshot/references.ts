// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { isMessage, type Message, typeUrls } from "@msm/xds-protos";
import {
  type Cluster,
  Cluster_DiscoveryType,
  ClusterSchema,
} from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { ListenerSchema } from "@msm/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "@msm/xds-protos/envoy/config/route/v3/route_pb.js";
import { listenerReferences } from "./listener-references.ts";
import { routeReferences } from "./route-references.ts";
import { transportReferences } from "./transport-references.ts";

/** A resource that another one names. */
export interface ResourceReference {
  readonly typeUrl: string;
  readonly name: string;
}

/**
 * The resources that a message names: a cluster its endpoints and secrets, a listener its clusters, routes, filters and
 * secrets, a route its clusters. What is inside types that are not known is not seen.
 */
export function referencesOf(message: Message): readonly ResourceReference[] {
  if (isMessage(message, ClusterSchema)) return clusterReferences(message);
  if (isMessage(message, ListenerSchema)) return listenerReferences(message);
  if (isMessage(message, RouteConfigurationSchema)) return routeReferences(message);
  return [];
}

function clusterReferences(cluster: Cluster): ResourceReference[] {
  const secrets = transportReferences(cluster.transportSocket);
  const discovery = cluster.clusterDiscoveryType;
  if (discovery.case !== "type" || discovery.value !== Cluster_DiscoveryType.EDS) return secrets;
  const name = cluster.edsClusterConfig?.serviceName || cluster.name;
  return [{ typeUrl: typeUrls.clusterLoadAssignment, name }, ...secrets];
}
