// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { isDeepStrictEqual } from "node:util";
import { isKindName, kinds, type Resource } from "../model/index.ts";
import type { Problem } from "../model/problem.ts";
import type { RawResource } from "../model/raw-resource.ts";
import { fieldText, keyOf, type Refusal } from "../refusal.ts";
import { inForceIn, type Mesh } from "./mesh.ts";

/** What reading one resource gave. Immutable, so that a resource which a source hands over again is not read again. */
export interface ReadResource {
  readonly key: string;
  readonly raw: RawResource;
  readonly line: number;
  /** Its checked form; undefined where it is refused. */
  readonly fresh: Resource | undefined;
  /** What is wrong with it whatever else there is. */
  readonly refusals: readonly Refusal[];
}

/** Checks a resource by itself. A form that equals the one in force in `mesh` is the same object. */
export function readResource(raw: RawResource, mesh: Mesh): ReadResource {
  if (!isKindName(raw.id.kind)) throw new Error(`sources identify kinds before: ${raw.id.kind}`);
  const parsed = kinds[raw.id.kind].parse(raw);
  const key = keyOf(raw.id);
  const { line } = raw.locate([]);
  if ("problems" in parsed) {
    const refusals = parsed.problems.map((problem) => refusalOf(problem, raw));
    return { key, raw, line, fresh: undefined, refusals };
  }
  const previous = inForceIn(mesh, raw.id);
  const fresh = isDeepStrictEqual(previous, parsed.model) ? previous : parsed.model;
  return { key, raw, line, fresh, refusals: [] };
}

/** Why a resource does not count when another one with its key does. */
export function refusedDuplicate(raw: RawResource, winner: ReadResource): Refusal {
  const message = `the same resource stands at ${winner.raw.file}:${winner.line}; rename or remove one`;
  return refusalOf({ code: "MSM_RESOURCE_DUPLICATE", path: ["metadata", "name"], message }, raw);
}

/** Says of a problem where it stands. */
export function refusalOf(problem: Problem, raw: RawResource): Refusal {
  const { code, path, message } = problem;
  return { code, resource: raw.id, field: fieldText(path), file: raw.file, ...raw.locate(path), message };
}
