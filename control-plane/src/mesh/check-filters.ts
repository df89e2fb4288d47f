// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Model } from "../model/index.ts";
import type { FilterTarget } from "../model/wasm-filter.ts";
import { keyOf } from "../refusal.ts";
import type { Mesh } from "./mesh.ts";
import type { MeshProblem } from "./mesh-problem.ts";

/** Finds filters whose target does not exist. */
export function checkFilters(mesh: Mesh): MeshProblem[] {
  return [...mesh.WasmFilter.values()].flatMap((filter) =>
    filter.targets.flatMap((target, index) => checkTarget(filter, target, index, mesh)),
  );
}

function checkTarget(
  filter: Model<"WasmFilter">,
  target: FilterTarget,
  index: number,
  mesh: Mesh,
): MeshProblem[] {
  const { kind, name, sectionName } = target;
  const { namespace } = filter.id;
  const path = ["spec", "targetRefs", index];
  const key = keyOf({ kind, namespace, name });
  const code = "MSM_FILTER_TARGET_NOT_FOUND";
  if (!mesh[kind].has(key)) {
    const message = `there is no ${kind} ${namespace}/${name}; add it or correct the name`;
    return [{ resource: filter, code, path: [...path, "name"], message }];
  }
  const listeners = mesh.Gateway.get(key)?.listeners;
  if (sectionName === undefined || listeners?.some((listener) => listener.name === sectionName)) return [];
  const known = listeners?.map((listener) => listener.name).join(", ");
  const message = `Gateway ${namespace}/${name} has no such listener; it has ${known}`;
  return [{ resource: filter, code, path: [...path, "sectionName"], message }];
}
