// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { ClusterSchema } from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "@msm/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { type Attachment, attachmentsOf, isOurs } from "../mesh/attachment.ts";
import { backendKey } from "../mesh/backend-reference.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { Model } from "../model/index.ts";
import { keyOf } from "../refusal.ts";
import { backendEndpoints } from "./backend-endpoints.ts";
import { translateCluster } from "./cluster.ts";
import { translateEndpoints } from "./cluster-load-assignment.ts";
import { filterChain } from "./filter-chain.ts";
import { translateListener } from "./listener.ts";
import { clusterName, listenerName, routeClusterName } from "./names.ts";
import type { Produced } from "./produced.ts";

/**
 * What a proxy understands: ours takes session filters; any other, Envoy itself among them, gets plain `udp_proxy`
 * listeners, because it would refuse a filter that it does not know.
 */
export type Profile = "msm" | "envoy";

// Envoy's own default for udp_proxy, written out so that it can be seen.
const DEFAULT_IDLE_TIMEOUT_MS = 60_000;

/** Turns a mesh into the xDS resources of the proxies that serve it. Pure: no I/O, no clock. */
export function translateMesh(mesh: Mesh, profile: Profile): readonly Produced[] {
  const produced = new Map<string, Produced>();
  for (const route of mesh.UDPRoute.values()) {
    for (const attachment of attachmentsOf(route, mesh)) {
      if (!isOurs(attachment.gateway, mesh)) continue;
      for (const item of translateAttachment(attachment, mesh, profile)) add(produced, item);
    }
  }
  return [...produced.values()];
}

function translateAttachment(attachment: Attachment, mesh: Mesh, profile: Profile): readonly Produced[] {
  const { gateway, listener, route } = attachment;
  if (route.backends.length === 0) return [];
  const origins = [keyOf(gateway.id), keyOf(route.id)];
  const idleTimeoutMs = route.idleTimeoutMs ?? gateway.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS;
  const listeners = gateway.addresses.flatMap((address): Produced[] => {
    const name = listenerName(gateway, listener, address);
    const chain = profile === "msm" ? filterChain(attachment, name, mesh) : [];
    const cluster = routeClusterName(route);
    const filters = chain.map((filter) => filter.name);
    const message = translateListener({
      name,
      address,
      port: listener.port,
      cluster,
      idleTimeoutMs,
      filters,
    });
    return [{ schema: ListenerSchema, name, message, origins }, ...chain];
  });
  return [...listeners, ...translateBackends(route, mesh)];
}

/**
 * The cluster of a route: that of its backend, or where there are several one in which each backend is a locality
 * with the weight that the route gives it. New weights are then new endpoints of the same cluster, and sessions stay
 * where they are; Envoy understands it as it is.
 */
function translateBackends(route: Model<"UDPRoute">, mesh: Mesh): Produced[] {
  const name = routeClusterName(route);
  const isWeighted = route.backends.length > 1;
  const origins = [keyOf(route.id), ...route.backends.map(backendKey)];
  const groups = route.backends.map((ref) => ({
    name: isWeighted ? clusterName(ref) : "",
    weight: isWeighted ? ref.weight : undefined,
    endpoints: backendEndpoints(ref, mesh),
  }));
  return [
    { schema: ClusterSchema, name, message: translateCluster(name, isWeighted), origins },
    { schema: ClusterLoadAssignmentSchema, name, message: translateEndpoints(name, groups), origins },
  ];
}

// Routes may share a backend and listeners a filter: the resource is one, its origins add up.
function add(produced: Map<string, Produced>, item: Produced): void {
  const key = `${item.schema.typeName} ${item.name}`;
  const known = produced.get(key);
  const origins = known === undefined ? item.origins : [...new Set([...known.origins, ...item.origins])];
  produced.set(key, { ...item, origins });
}
