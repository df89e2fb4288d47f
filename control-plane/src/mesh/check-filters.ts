// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { rtspProtocol } from "../model/gateway.ts";
import type { Model } from "../model/index.ts";
import { type FilterTarget, rtspFilterName } from "../model/wasm-filter.ts";
import { keyOf } from "../refusal.ts";
import type { Mesh } from "./mesh.ts";
import type { MeshProblem } from "./mesh-problem.ts";

/** Finds filters whose target does not exist, or is of a protocol that they do not speak. */
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
  const listeners = mesh.Gateway.get(key)?.listeners ?? [];
  const meant = listeners.filter((listener) => sectionName === undefined || listener.name === sectionName);
  if (sectionName !== undefined && meant.length === 0) {
    const known = listeners.map((listener) => listener.name).join(", ");
    const message = `Gateway ${namespace}/${name} has no such listener; it has ${known}`;
    return [{ resource: filter, code, path: [...path, "sectionName"], message }];
  }
  if (!isRtspFilter(filter) || meant.some(({ protocol }) => protocol === rtspProtocol)) return [];
  const message = `${kind} ${namespace}/${name} has no listener of protocol ${rtspProtocol} here; target one`;
  return [{ resource: filter, code: "MSM_FILTER_PROTOCOL", path, message }];
}

/** Whether a filter is the one that speaks RTSP, which is no part of a chain. */
export function isRtspFilter({ code }: Model<"WasmFilter">): boolean {
  return "builtin" in code && code.builtin === rtspFilterName;
}
