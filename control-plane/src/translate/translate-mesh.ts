// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { TypedExtensionConfigSchema } from "@msm/xds-protos/envoy/config/core/v3/extension_pb.js";
import { ListenerSchema } from "@msm/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { type Attachment, attachmentsOf, isOurs } from "../mesh/attachment.ts";
import { policyOf } from "../mesh/backend-policies.ts";
import { backendKey } from "../mesh/backend-reference.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { MeshMemo } from "../mesh/mesh-memo.ts";
import { hashOf } from "../model/backend-policy.ts";
import type { Model } from "../model/index.ts";
import { keyOf } from "../refusal.ts";
import { translateBackendCluster } from "./backend-cluster.ts";
import { backendEndpoints } from "./backend-endpoints.ts";
import { envoyClean } from "./envoy-clean.ts";
import { translateFilter } from "./extension-config.ts";
import { type ChainedFilter, filterChain } from "./filter-chain.ts";
import { translateListener } from "./listener.ts";
import { type Merged, mergeProduced } from "./merge-produced.ts";
import { clusterName, listenerName, routeClusterName } from "./names.ts";
import type { Produced } from "./produced.ts";
import { translateBackend } from "./translate-backend.ts";
import { translateRtsp } from "./translate-rtsp.ts";

/**
 * What a proxy understands: ours takes session filters and RTSP listeners; any other, Envoy itself among them, gets
 * plain `udp_proxy` listeners alone, because it would refuse a filter that it does not know.
 */
export type Profile = "msm" | "envoy";

// Envoy's own default for udp_proxy, written out so that it can be seen.
const DEFAULT_IDLE_TIMEOUT_MS = 60_000;

/** Turns a mesh into the xDS resources of the proxies that serve it. Pure: no I/O, no clock. */
export function translateMesh(mesh: Mesh, profile: Profile): readonly Produced[] {
  return translateParts(mesh, profile).flat();
}

/**
 * The same in parts that have no resource in common. A part, and a resource, for which nothing changed is the very
 * object that it was for the mesh before.
 */
export function translateParts(mesh: Mesh, profile: Profile): readonly (readonly Produced[])[] {
  const udp = [
    translateUdp(`listeners ${profile}`, mesh, listenersFor(profile)),
    translateUdp("clusters", mesh, translateBackends),
  ];
  return profile === "msm" ? [...udp, ...translateRtsp(mesh)] : udp.map(envoyClean);
}

type Translate = (attachments: readonly Attachment<Model<"UDPRoute">>[], mesh: Mesh) => readonly Produced[];

const parts = new MeshMemo<Merged>("kind");
const routes = new MeshMemo<readonly Produced[]>();

function translateUdp(part: string, mesh: Mesh, translate: Translate): readonly Produced[] {
  const ofRoute = (route: Model<"UDPRoute">, from: Mesh): readonly Produced[] => {
    const attachments = attachmentsOf(route, from).filter(({ gateway }) => isOurs(gateway, from));
    return route.backends.length === 0 ? [] : translate(attachments, from);
  };
  const merge = (whole: Mesh, before: Merged | undefined): Merged => {
    const ofEach = whole.UDPRoute.values().map((route) =>
      routes.get(route, part, whole, (from) => ofRoute(route, from)),
    );
    return mergeProduced(ofEach, before);
  };
  return parts.get(mesh.UDPRoute, part, mesh, merge).items;
}

function listenersFor(profile: Profile): Translate {
  return (attachments, mesh) =>
    attachments.flatMap((attachment) => translateAttachment(attachment, mesh, profile));
}

function translateAttachment(
  attachment: Attachment<Model<"UDPRoute">>,
  mesh: Mesh,
  profile: Profile,
): readonly Produced[] {
  const { gateway, listener, route } = attachment;
  const origins = [keyOf(gateway.id), keyOf(route.id)];
  const idleTimeoutMs = route.idleTimeoutMs ?? gateway.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS;
  const [first] = route.backends;
  const hashOn = hashOf(first && policyOf(first, mesh));
  return gateway.addresses.flatMap((address): Produced[] => {
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
      hashOn,
      filters,
    });
    return [{ schema: ListenerSchema, name, message, origins }, ...chain.map(produceFilter)];
  });
}

function produceFilter(filter: ChainedFilter): Produced {
  const { name, origin } = filter;
  return { schema: TypedExtensionConfigSchema, name, message: translateFilter(filter), origins: [origin] };
}

/**
 * The cluster of a route: that of its backend, or where there are several one in which each backend is a locality
 * with the weight that the route gives it. New weights are then new endpoints of the same cluster, and sessions stay
 * where they are; Envoy understands it as it is.
 */
function translateBackends(
  [attachment]: readonly Attachment<Model<"UDPRoute">>[],
  mesh: Mesh,
): readonly Produced[] {
  if (attachment === undefined) return [];
  const { route } = attachment;
  const name = routeClusterName(route);
  const [only, ...others] = route.backends;
  if (only !== undefined && others.length === 0) return translateBackend(route, only, "UDP", name, mesh);
  const origins = [keyOf(route.id), ...route.backends.map(backendKey)];
  const groups = route.backends.map((ref) => ({
    name: clusterName(ref),
    weight: ref.weight,
    endpoints: backendEndpoints(ref, "UDP", mesh),
  }));
  const policy = only && policyOf(only, mesh);
  return translateBackendCluster({ name, transport: "UDP", isWeighted: true, groups, policy, origins });
}
