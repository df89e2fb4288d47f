// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { ListenerSchema } from "@msm/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "@msm/xds-protos/envoy/config/route/v3/route_pb.js";
import { attachmentsOf, isOurs } from "../mesh/attachment.ts";
import { policyOf } from "../mesh/backend-policies.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { MeshMemo } from "../mesh/mesh-memo.ts";
import { hashOf } from "../model/backend-policy.ts";
import type { GatewayListener } from "../model/gateway.ts";
import type { Model } from "../model/index.ts";
import { keyOf } from "../refusal.ts";
import { filterChain, rtspFilter } from "./filter-chain.ts";
import { translateSecrets } from "./listener-tls.ts";
import { type Merged, mergeProduced } from "./merge-produced.ts";
import { listenerName, routeConfigurationName, tcpClusterName } from "./names.ts";
import type { Produced } from "./produced.ts";
import { translateRoutes } from "./route-configuration.ts";
import { translateRtspListener } from "./rtsp-listener.ts";
import { translateBackend } from "./translate-backend.ts";

/** An RTSP listener with every route attached to it. */
interface RtspService {
  readonly gateway: Model<"Gateway">;
  readonly listener: GatewayListener;
  readonly routes: Model<"RTSPRoute">[];
}

const parts = new MeshMemo<Merged>("kind");
const backends = new MeshMemo<readonly Produced[]>();

/** The RTSP listeners of a mesh that have a route, with routes, and in a second part their clusters and endpoints. */
export function translateRtsp(mesh: Mesh): readonly (readonly Produced[])[] {
  const listeners = parts.get(mesh.RTSPRoute, "listeners", mesh, (from, before) =>
    mergeProduced(
      servicesOf(from).map((service) => translateService(service, from)),
      before,
    ),
  );
  const clusters = parts.get(mesh.RTSPRoute, "clusters", mesh, (from, before) => {
    const used = new Set(servicesOf(from).flatMap(({ routes }) => routes));
    const ofRoute = (route: Model<"RTSPRoute">) =>
      backends.get(route, "", from, (own) => translateBackends(route, own));
    return mergeProduced([...used].map(ofRoute), before);
  });
  return [listeners.items, clusters.items];
}

function servicesOf(mesh: Mesh): readonly RtspService[] {
  const services = new Map<GatewayListener, RtspService>();
  for (const route of mesh.RTSPRoute.values()) {
    for (const { gateway, listener } of attachmentsOf(route, mesh)) {
      if (!isOurs(gateway, mesh)) continue;
      const service = services.get(listener) ?? { gateway, listener, routes: [] };
      service.routes.push(route);
      services.set(listener, service);
    }
  }
  return [...services.values()];
}

function translateService({ gateway, listener, routes }: RtspService, mesh: Mesh): readonly Produced[] {
  const target = { gateway, listener };
  const routesName = routeConfigurationName(gateway, listener);
  const routeKeys = routes.map(({ id }) => keyOf(id));
  const listeners = gateway.addresses.map((address): Produced => {
    const name = listenerName(gateway, listener, address);
    const filter = rtspFilter(target, name, mesh);
    const chain = filterChain(target, name, mesh);
    const message = translateRtspListener({
      name,
      address,
      port: listener.port,
      routes: routesName,
      filter,
      chain,
      options: gateway.rtsp,
      idleTimeoutMs: gateway.idleTimeoutMs,
      tls: listener.tls,
    });
    const filterKeys = [filter, ...chain].map(({ origin }) => origin);
    const origins = [...new Set([keyOf(gateway.id), ...routeKeys, ...filterKeys])];
    return { schema: ListenerSchema, name, message, origins };
  });
  const message = translateRoutes(routesName, routes, ({ backends: [first] }) =>
    hashOf(first && policyOf(first, mesh)),
  );
  const secrets = listener.tls === undefined ? [] : translateSecrets(listener.tls, mesh);
  const produced = { schema: RouteConfigurationSchema, name: routesName, message, origins: routeKeys };
  return [...listeners, produced, ...secrets.map((secret) => ofGateway(secret, gateway))];
}

// What a proxy says of a secret concerns the Gateway, too.
function ofGateway(secret: Produced, gateway: Model<"Gateway">): Produced {
  return { ...secret, origins: [keyOf(gateway.id), ...secret.origins] };
}

/** A cluster for each backend: a RouteConfiguration weighs clusters by itself. */
function translateBackends(route: Model<"RTSPRoute">, mesh: Mesh): readonly Produced[] {
  const refs = route.rules.flatMap(({ backends }) => backends).filter(({ weight }) => weight > 0);
  return refs.flatMap((ref) => translateBackend(route, ref, "TCP", tcpClusterName(ref), mesh));
}
