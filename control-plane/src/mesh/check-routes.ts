// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { GatewayListener } from "../model/gateway.ts";
import type { Model } from "../model/index.ts";
import type { BackendRef, ParentRef } from "../model/udp-route.ts";
import { allowsRoute, attachmentsOf, namedListeners, parentGateway } from "./attachment.ts";
import { backendExists, backendHasPort, backendKey, isGranted } from "./backend-reference.ts";
import type { Mesh } from "./mesh.ts";
import type { MeshProblem } from "./mesh-problem.ts";

/** Finds routes whose parents or backends do not exist or do not allow them, and listeners with two routes. */
export function checkRoutes(mesh: Mesh): MeshProblem[] {
  const owners = new Map<GatewayListener, Model<"UDPRoute">>();
  const problems: MeshProblem[] = [];
  for (const route of mesh.UDPRoute.values()) {
    const found = [
      ...checkParents(route, mesh),
      ...route.backends.flatMap((ref) => checkBackend(route, ref, mesh)),
      ...checkOwners(route, mesh, owners),
    ];
    problems.push(...found);
    if (found.length > 0) continue;
    for (const { listener } of attachmentsOf(route, mesh)) owners.set(listener, route);
  }
  return problems;
}

function checkParents(route: Model<"UDPRoute">, mesh: Mesh): MeshProblem[] {
  return route.parents.flatMap((parent, index) => checkParent(route, parent, index, mesh));
}

function checkParent(route: Model<"UDPRoute">, parent: ParentRef, index: number, mesh: Mesh): MeshProblem[] {
  const path = ["spec", "parentRefs", index];
  const gateway = parentGateway(parent, mesh);
  const gatewayName = `Gateway ${parent.namespace}/${parent.name}`;
  if (gateway === undefined) {
    const message = `there is no ${gatewayName}; add it or correct the name`;
    return [{ resource: route, code: "MSM_ROUTE_PARENT_NOT_FOUND", path: [...path, "name"], message }];
  }
  const named = namedListeners(parent, gateway);
  if (named.length === 0) {
    const field = parent.sectionName === undefined ? "port" : "sectionName";
    const known = gateway.listeners.map(({ name, port }) => `${name} (port ${port})`).join(", ");
    const message = `${gatewayName} has no such listener; it has ${known}`;
    return [{ resource: route, code: "MSM_ROUTE_PARENT_NOT_FOUND", path: [...path, field], message }];
  }
  if (named.some((listener) => allowsRoute(listener, gateway, route))) return [];
  const message = `${gatewayName} takes no UDPRoute of namespace ${route.id.namespace}; see its allowedRoutes`;
  return [{ resource: route, code: "MSM_ROUTE_NOT_ALLOWED", path, message }];
}

function checkBackend(route: Model<"UDPRoute">, ref: BackendRef, mesh: Mesh): MeshProblem[] {
  const path = ["spec", "rules", 0, "backendRefs", ref.index];
  const name = `${ref.kind} ${ref.namespace}/${ref.name}`;
  if (!isGranted(ref, route, mesh)) {
    const message = `namespace ${ref.namespace} does not let routes of ${route.id.namespace} use it; add a ReferenceGrant`;
    return [{ resource: route, code: "MSM_ROUTE_NOT_GRANTED", path: [...path, "namespace"], message }];
  }
  if (!backendExists(ref, mesh)) {
    const message = `there is no ${name}; add it or correct the name`;
    const problem = { code: "MSM_ROUTE_BACKEND_NOT_FOUND", path: [...path, "name"], message } as const;
    return [{ resource: route, ...problem, needs: backendKey(ref) }];
  }
  if (backendHasPort(ref, mesh)) return [];
  const message = `${name} has no UDP port ${ref.port}; name one that it has`;
  const problem = { code: "MSM_ROUTE_BACKEND_PORT", path: [...path, "port"], message } as const;
  return [{ resource: route, ...problem, needs: backendKey(ref) }];
}

function checkOwners(
  route: Model<"UDPRoute">,
  mesh: Mesh,
  owners: ReadonlyMap<GatewayListener, Model<"UDPRoute">>,
): MeshProblem[] {
  for (const { gateway, listener } of attachmentsOf(route, mesh)) {
    const owner = owners.get(listener);
    if (owner === undefined) continue;
    const at = `${gateway.id.namespace}/${gateway.id.name}/${listener.name}`;
    const message = `listener ${at} is already served by UDPRoute ${owner.id.namespace}/${owner.id.name}`;
    return [{ resource: route, code: "MSM_ROUTE_CONFLICT", path: ["spec", "parentRefs"], message }];
  }
  return [];
}
