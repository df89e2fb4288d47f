// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { isDeepStrictEqual } from "node:util";
import type { BackendPolicy } from "../model/backend-policy.ts";
import type { BackendRef } from "../model/backend-ref.ts";
import { backendKey } from "./backend-reference.ts";
import type { Mesh } from "./mesh.ts";

/** The policy of the Backend that a reference names; undefined where it has none, as a Service. */
export function policyOf(ref: BackendRef, mesh: Mesh): BackendPolicy | undefined {
  return ref.kind === "Backend" ? mesh.Backend.get(backendKey(ref))?.policy : undefined;
}

/** The first backend that has another policy than the first one: a route's backends share a cluster, which has one. */
export function otherPolicy(refs: readonly BackendRef[], mesh: Mesh): BackendRef | undefined {
  const [first, ...others] = refs;
  if (first === undefined) return undefined;
  const policy = policyOf(first, mesh);
  return others.find((ref) => !isDeepStrictEqual(policyOf(ref, mesh), policy));
}
