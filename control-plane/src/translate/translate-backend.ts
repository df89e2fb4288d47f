// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { policyOf } from "../mesh/backend-policies.ts";
import { backendKey } from "../mesh/backend-reference.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { MeshMemo } from "../mesh/mesh-memo.ts";
import type { Route } from "../mesh/route.ts";
import type { BackendRef } from "../model/backend-ref.ts";
import { keyOf } from "../refusal.ts";
import { translateBackendCluster } from "./backend-cluster.ts";
import { backendEndpoints } from "./backend-endpoints.ts";
import type { Produced } from "./produced.ts";
import type { Transport } from "./socket-address.ts";

const memo = new MeshMemo<readonly Produced[]>();

/** The cluster `name` of one backend of a route. Its messages are made once for all the routes that name the backend. */
export function translateBackend(
  route: Route,
  ref: BackendRef,
  transport: Transport,
  name: string,
  mesh: Mesh,
): readonly Produced[] {
  const make = (from: Mesh): readonly Produced[] => {
    const groups = [{ name: "", weight: undefined, endpoints: backendEndpoints(ref, transport, from) }];
    const origins = [backendKey(ref)];
    const policy = policyOf(ref, from);
    return translateBackendCluster({ name, transport, isWeighted: false, groups, policy, origins });
  };
  const backend = mesh[ref.kind].get(backendKey(ref));
  const shared = backend === undefined ? make(mesh) : memo.get(backend, name, mesh, make);
  return shared.map((item) => ({ ...item, origins: [keyOf(route.id), ...item.origins] }));
}
