// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { keyOf } from "../refusal.ts";
import type { Mesh } from "./mesh.ts";
import type { MeshProblem } from "./mesh-problem.ts";

/** Finds policies of Services that do not exist, or that have another policy already. */
export function checkServicePolicies(mesh: Mesh): MeshProblem[] {
  const problems: MeshProblem[] = [];
  for (const policy of mesh.ServicePolicy.values()) {
    const { namespace } = policy.id;
    for (const [index, name] of policy.services.entries()) {
      const path = ["spec", "targetRefs", index, "name"];
      const key = keyOf({ kind: "Service", namespace, name });
      const owner = mesh.servicePolicies.get(key)?.id.name;
      if (!mesh.Service.has(key)) {
        const message = `there is no Service ${namespace}/${name}; add it or correct the name`;
        problems.push({ resource: policy, code: "MSM_POLICY_TARGET_NOT_FOUND", path, message });
      } else if (owner !== policy.id.name) {
        const message = `Service ${namespace}/${name} has the policy ${owner} already; keep one`;
        problems.push({ resource: policy, code: "MSM_POLICY_TARGET_TAKEN", path, message });
      }
    }
  }
  return problems;
}
