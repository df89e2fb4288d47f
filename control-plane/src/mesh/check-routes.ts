// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { BackendRef } from "../model/backend-ref.ts";
import type { GatewayListener } from "../model/gateway.ts";
import type { ParentRef } from "../model/parent-ref.ts";
import { type Attachment, allowsRoute, attachmentsOf, namedListeners, parentGateway } from "./attachment.ts";
import { checkPolicies } from "./backend-policies.ts";
import { backendExists, backendHasPort, backendKey, isGranted } from "./backend-reference.ts";
import type { Mesh } from "./mesh.ts";
import { MeshMemo } from "./mesh-memo.ts";
import type { MeshProblem } from "./mesh-problem.ts";
import { backendsOf, type Claim, claimsOf, type Route, routesOf, transportOf } from "./route.ts";

/** Which route has which claim on a listener. */
type Owners = Map<GatewayListener, Map<string, Route>>;

/** Finds routes whose parents or backends do not exist or do not allow them, and routes that want the same. */
export function checkRoutes(mesh: Mesh): MeshProblem[] {
  const owners: Owners = new Map();
  const problems: MeshProblem[] = [];
  for (const route of routesOf(mesh)) {
    const checked = memo.get(route, "", mesh, (from) => checkByItself(route, from));
    const found = [...checked.problems, ...checkOwners(checked, owners)];
    problems.push(...found);
    if (found.length === 0) own(route, checked, owners);
  }
  return problems;
}

/** What there is to say of a route whatever other routes there are. */
interface CheckedRoute {
  readonly route: Route;
  readonly problems: readonly MeshProblem[];
  readonly attachments: readonly Attachment[];
  readonly claims: readonly Claim[];
}

const memo = new MeshMemo<CheckedRoute>();

function checkByItself(route: Route, mesh: Mesh): CheckedRoute {
  const backends = backendsOf(route).flatMap((ref) => checkBackend(route, ref, mesh));
  const problems = [...checkParents(route, mesh), ...backends, ...checkPolicies(route, mesh)];
  return { route, problems, attachments: attachmentsOf(route, mesh), claims: claimsOf(route) };
}

function own(route: Route, { attachments, claims }: CheckedRoute, owners: Owners): void {
  for (const { listener } of attachments) {
    const owned = owners.get(listener) ?? new Map<string, Route>();
    for (const { key } of claims) owned.set(key, route);
    owners.set(listener, owned);
  }
}

function checkParents(route: Route, mesh: Mesh): MeshProblem[] {
  return route.parents.flatMap((parent, index) => checkParent(route, parent, index, mesh));
}

function checkParent(route: Route, parent: ParentRef, index: number, mesh: Mesh): MeshProblem[] {
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
  const message = `${gatewayName} takes no ${route.id.kind} of namespace ${route.id.namespace}; see the listeners' protocol and allowedRoutes`;
  return [{ resource: route, code: "MSM_ROUTE_NOT_ALLOWED", path, message }];
}

function checkBackend(route: Route, ref: BackendRef, mesh: Mesh): MeshProblem[] {
  const { path } = ref;
  const transport = transportOf(route);
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
  if (backendHasPort(ref, transport, mesh)) return [];
  const message = `${name} has no ${transport} port ${ref.port}; name one that it has`;
  const problem = { code: "MSM_ROUTE_BACKEND_PORT", path: [...path, "port"], message } as const;
  return [{ resource: route, ...problem, needs: backendKey(ref) }];
}

function checkOwners({ route, attachments, claims }: CheckedRoute, owners: Owners): MeshProblem[] {
  for (const { gateway, listener } of attachments) {
    const owned = owners.get(listener);
    const taken = claims.find(({ key }) => owned?.has(key));
    if (taken === undefined) continue;
    const { kind, namespace, name } = owned!.get(taken.key)!.id;
    const at = `${gateway.id.namespace}/${gateway.id.name}/${listener.name}`;
    const what = taken.what === "" ? "" : `: ${taken.what}`;
    const message = `listener ${at} is already served by ${kind} ${namespace}/${name}${what}`;
    return [{ resource: route, code: "MSM_ROUTE_CONFLICT", path: ["spec", "parentRefs"], message }];
  }
  return [];
}
