// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { isDeepStrictEqual } from "node:util";
import { isKindName, kinds, type Resource } from "../model/index.ts";
import type { Problem } from "../model/problem.ts";
import type { RawResource } from "../model/raw-resource.ts";
import { fieldText, keyOf, type Refusal } from "../refusal.ts";
import type { SourceUpdate } from "../sources/source.ts";
import { buildMesh, type Mesh } from "./mesh.ts";
import type { ResourceStatus } from "./resource-status.ts";
import { type Candidate, settle } from "./settle.ts";

/** What is in force, and what became of each resource. */
export interface StoreState {
  readonly mesh: Mesh;
  readonly statuses: readonly ResourceStatus[];
  /** Every refusal: of files, and of resources. */
  readonly refusals: readonly Refusal[];
  /** False while a resource is refused and no earlier form stands in, so that what it was is not known. */
  readonly isComplete: boolean;
}

interface Entry {
  readonly raw: RawResource;
  readonly fresh: Resource | undefined;
  readonly refusals: Refusal[];
}

/**
 * Holds the form of each resource that is in force, across changes: a form that is refused leaves the one before
 * it in force, whatever else changes with it.
 */
export class ResourceStore {
  #inForce: ReadonlyMap<string, Resource> = new Map();
  #fileOf: ReadonlyMap<string, string> = new Map();

  /** Takes everything that the source holds now; returns what is in force after it. */
  apply(update: SourceUpdate): StoreState {
    const { entries, duplicates } = this.#readEntries(update.resources);
    const candidates = [...entries].map(([key, { fresh }]): Candidate => {
      const previous = this.#inForce.get(key);
      // An equal form is the same object, which is how unchanged resources are known later on.
      const isSame = previous !== undefined && isDeepStrictEqual(previous, fresh);
      return { key, fresh: isSame ? previous : fresh, previous };
    });
    const deleted = new Map([...this.#inForce].filter(([key]) => !entries.has(key)));
    const settled = settle(candidates, deleted);
    for (const problem of settled.problems) {
      const entry = entries.get(keyOf(problem.resource.id));
      entry?.refusals.push(refusalOf(problem, entry.raw));
    }
    this.#inForce = settled.inForce;
    this.#fileOf = new Map([...entries].map(([key, { raw }]) => [key, raw.file]));
    const newest = new Map(candidates.map(({ key, fresh }) => [key, fresh]));
    const statuses = [
      ...[...entries].map(([key, entry]) => statusOf(entry, settled.inForce.get(key), newest.get(key))),
      ...duplicates.map((entry) => statusOf(entry, undefined, undefined)),
      ...[...settled.inForce]
        .filter(([key]) => !entries.has(key))
        .map(([, resource]) => deletedStatus(resource)),
    ];
    const isMissing = statuses.some((status) => status.inForce === "none");
    return {
      mesh: buildMesh(settled.inForce.values()),
      statuses,
      refusals: [...update.refusals, ...statuses.flatMap((status) => status.refusals)],
      isComplete: update.isComplete && !isMissing,
    };
  }

  // Of two resources with one key, the one from the file that had it before stays, else the first.
  #readEntries(resources: readonly RawResource[]): { entries: Map<string, Entry>; duplicates: Entry[] } {
    const chosen = new Map<string, RawResource>();
    for (const raw of resources) {
      const key = keyOf(raw.id);
      const rival = chosen.get(key);
      const owner = this.#fileOf.get(key);
      if (rival === undefined || (rival.file !== owner && raw.file === owner)) chosen.set(key, raw);
    }
    const duplicates = resources.flatMap((raw) => {
      const winner = chosen.get(keyOf(raw.id))!;
      if (winner === raw) return [];
      const at = `${winner.file}:${winner.locate([]).line}`;
      const message = `the same resource stands at ${at}; rename or remove one`;
      const problem: Problem = { code: "MSM_RESOURCE_DUPLICATE", path: ["metadata", "name"], message };
      return [{ raw, fresh: undefined, refusals: [refusalOf(problem, raw)] }];
    });
    return { entries: new Map([...chosen].map(([key, raw]) => [key, readEntry(raw)])), duplicates };
  }
}

function readEntry(raw: RawResource): Entry {
  if (!isKindName(raw.id.kind)) throw new Error(`sources identify kinds before: ${raw.id.kind}`);
  const parsed = kinds[raw.id.kind].parse(raw);
  if ("model" in parsed) return { raw, fresh: parsed.model, refusals: [] };
  return { raw, fresh: undefined, refusals: parsed.problems.map((problem) => refusalOf(problem, raw)) };
}

function refusalOf(problem: Problem, raw: RawResource): Refusal {
  const { code, path, message } = problem;
  return { code, resource: raw.id, field: fieldText(path), file: raw.file, ...raw.locate(path), message };
}

function statusOf(entry: Entry, inForce: Resource | undefined, newest: Resource | undefined): ResourceStatus {
  const { raw, refusals } = entry;
  const form = inForce === undefined ? "none" : inForce === newest ? "newest" : "previous";
  const { line } = raw.locate([]);
  return { id: raw.id, file: raw.file, line, refusals, inForce: form, isDeleted: false };
}

function deletedStatus({ id }: Resource): ResourceStatus {
  return { id, file: "", line: 0, refusals: [], inForce: "previous", isDeleted: true };
}
