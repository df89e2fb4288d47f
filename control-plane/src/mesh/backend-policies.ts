// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { isDeepStrictEqual } from "node:util";
import { type BackendPolicy, hashOf } from "../model/backend-policy.ts";
import type { BackendRef } from "../model/backend-ref.ts";
import { backendKey } from "./backend-reference.ts";
import type { Mesh } from "./mesh.ts";
import type { MeshProblem } from "./mesh-problem.ts";
import { isRtspRoute, type Route } from "./route.ts";

/** The policy of the backend that a reference names: its own, or the ServicePolicy of a Service; undefined where there is none. */
export function policyOf(ref: BackendRef, mesh: Mesh): BackendPolicy | undefined {
  const key = backendKey(ref);
  return ref.kind === "Backend" ? mesh.Backend.get(key)?.policy : mesh.servicePolicies.get(key)?.policy;
}

/** Finds backends whose policy does not fit their route: another one than that of their neighbours, or another protocol's. */
export function checkPolicies(route: Route, mesh: Mesh): MeshProblem[] {
  // The backends of a UDPRoute share one cluster; those of an RTSPRoute have one each, but a rule has one hash.
  const groups = isRtspRoute(route) ? route.rules.map(({ backends }) => backends) : [route.backends];
  return groups.flatMap((refs) => [
    ...checkEqual(route, refs, (ref) => {
      const policy = policyOf(ref, mesh);
      return isRtspRoute(route) ? hashOf(policy) : policy;
    }),
    ...refs.flatMap((ref) => checkHash(route, ref, mesh)),
  ]);
}

function checkEqual(
  route: Route,
  refs: readonly BackendRef[],
  shared: (ref: BackendRef) => unknown,
): MeshProblem[] {
  const [first, ...others] = refs;
  const expected = first && shared(first);
  const other = others.find((ref) => !isDeepStrictEqual(shared(ref), expected));
  if (other === undefined) return [];
  const message = `${nameOf(other)} has another policy than the first backend; make them equal`;
  return [{ resource: route, code: "MSM_ROUTE_POLICY_CONFLICT", path: other.path, message }];
}

function checkHash(route: Route, ref: BackendRef, mesh: Mesh): MeshProblem[] {
  const type = hashOf(policyOf(ref, mesh))?.type;
  const fits = isRtspRoute(route)
    ? type !== "FirstDatagram"
    : type === undefined || type === "SourceAddress" || type === "FirstDatagram";
  if (fits) return [];
  const message = `the policy of ${nameOf(ref)} hashes ${type}, which sessions of a ${route.id.kind} do not have`;
  return [{ resource: route, code: "MSM_ROUTE_POLICY_HASH", path: ref.path, message }];
}

function nameOf({ kind, namespace, name }: BackendRef): string {
  return `${kind} ${namespace}/${name}`;
}
