// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { type KindName, kinds, type Resource } from "../model/index.ts";
import type { RawResource } from "../model/raw-resource.ts";
import { keyOf, type Refusal } from "../refusal.ts";
import type { SourceUpdate } from "../sources/source.ts";
import { buildMesh, inForceIn, type Mesh, replaceInMesh } from "./mesh.ts";
import { type ReadResource, readResource, refusalOf, refusedDuplicate } from "./read-resource.ts";
import type { ResourceStatus } from "./resource-status.ts";
import { type Candidate, findProblems, type Settled, settle } from "./settle.ts";

/** What is in force, and what became of each resource. */
export interface StoreState {
  readonly mesh: Mesh;
  readonly statuses: readonly ResourceStatus[];
  /** Every refusal: of files, and of resources. */
  readonly refusals: readonly Refusal[];
  /** False while a resource is refused and no earlier form stands in, so that what it was is not known. */
  readonly isComplete: boolean;
}

/**
 * Holds the form of each resource that is in force, across changes: a form that is refused leaves the one before
 * it in force, whatever else changes with it. What a source hands over as the same object is taken to be unchanged.
 */
export class ResourceStore {
  /** What was read last, in the order in which the source has it. */
  #read: readonly ReadResource[] = [];
  /** Those of it that count: without duplicates. */
  #counting: readonly ReadResource[] = [];
  #mesh: Mesh = buildMesh([]);
  #statuses: readonly ResourceStatus[] = [];
  /** Everything is in force in its newest form, and nothing else. */
  #isWell = true;

  /** Takes everything that the source holds now; returns what is in force after it. */
  apply(update: SourceUpdate): StoreState {
    if (!this.#replace(update.resources)) this.#settle(update.resources);
    const statuses = this.#statuses;
    const isMissing = statuses.some((status) => status.inForce === "none");
    return {
      mesh: this.#mesh,
      statuses,
      refusals: [...update.refusals, ...statuses.flatMap((status) => status.refusals)],
      isComplete: update.isComplete && !isMissing,
    };
  }

  // Where everything was in force in its newest form and still is, with other content, nothing has to yield. That is
  // most changes, and it costs as much as what changed.
  #replace(resources: readonly RawResource[]): boolean {
    if (resources.length !== this.#read.length || !this.#isWell) return false;
    const read = [...this.#read];
    const statuses = [...this.#statuses];
    const changed: Resource[] = [];
    for (let index = 0; index < resources.length; index++) {
      const raw = resources[index]!;
      const before = read[index]!;
      if (raw === before.raw) continue;
      const entry = readResource(raw, this.#mesh);
      const { key, fresh } = entry;
      if (key !== before.key || fresh === undefined) return false;
      if (fresh !== before.fresh) changed.push(fresh);
      read[index] = entry;
      statuses[index] = statusOf(entry, [], fresh);
    }
    const mesh = replaceInMesh(this.#mesh, changed);
    if (findProblems(mesh).length > 0) return false;
    this.#read = read;
    this.#counting = read;
    this.#mesh = mesh;
    this.#statuses = statuses;
    return true;
  }

  #settle(resources: readonly RawResource[]): void {
    const known = new Map(this.#read.map((entry) => [entry.raw, entry]));
    const read = resources.map((raw) => known.get(raw) ?? readResource(raw, this.#mesh));
    const counting = this.#chooseCounting(read);
    const candidates = [...counting.values()].map(({ key, raw, fresh }): Candidate => {
      return { key, fresh, previous: inForceIn(this.#mesh, raw.id) };
    });
    const deleted = new Map<string, Resource>();
    for (const kind of Object.keys(kinds) as KindName[]) {
      for (const [key, resource] of this.#mesh[kind].entries()) {
        if (!counting.has(key)) deleted.set(key, resource);
      }
    }
    const settled = settle(candidates, deleted, this.#mesh);
    this.#statuses = [
      ...statusesOf(counting, settled),
      ...read.flatMap((entry) => duplicateStatus(entry, counting.get(entry.key)!)),
      ...[...deleted.keys()].flatMap((key) => deletedStatus(settled.inForce.get(key)) ?? []),
    ];
    this.#isWell = this.#statuses.every(isWell);
    this.#read = read;
    this.#counting = [...counting.values()];
    this.#mesh = buildMesh(settled.inForce.values(), this.#mesh);
  }

  // Of two resources with one key, the one from the file that had it before stays, else the first.
  #chooseCounting(read: readonly ReadResource[]): ReadonlyMap<string, ReadResource> {
    const owners = new Map(this.#counting.map(({ key, raw }) => [key, raw.file]));
    const chosen = new Map<string, ReadResource>();
    for (const entry of read) {
      const { key, raw } = entry;
      const rival = chosen.get(key);
      const owner = owners.get(key);
      if (rival === undefined || (rival.raw.file !== owner && raw.file === owner)) chosen.set(key, entry);
    }
    return chosen;
  }
}

// Nothing is held against it, it is in force, and it is neither a duplicate nor deleted.
function isWell({ refusals, inForce, isDeleted }: ResourceStatus): boolean {
  return refusals.length === 0 && inForce === "newest" && !isDeleted;
}

function statusesOf(
  entries: ReadonlyMap<string, ReadResource>,
  { inForce, problems }: Settled,
): ResourceStatus[] {
  const found = new Map<string, Refusal[]>();
  for (const problem of problems) {
    const key = keyOf(problem.resource.id);
    const entry = entries.get(key);
    if (entry === undefined) continue;
    found.set(key, [...(found.get(key) ?? entry.refusals), refusalOf(problem, entry.raw)]);
  }
  const statuses: ResourceStatus[] = [];
  for (const [key, entry] of entries) {
    statuses.push(statusOf(entry, found.get(key) ?? entry.refusals, inForce.get(key)));
  }
  return statuses;
}

function statusOf(
  { raw, line, fresh }: ReadResource,
  refusals: readonly Refusal[],
  inForce: Resource | undefined,
): ResourceStatus {
  const form = inForce === undefined ? "none" : inForce === fresh ? "newest" : "previous";
  return { id: raw.id, file: raw.file, line, refusals, inForce: form, isDeleted: false };
}

function duplicateStatus(entry: ReadResource, winner: ReadResource): ResourceStatus[] {
  if (entry === winner) return [];
  return [statusOf(entry, [refusedDuplicate(entry.raw, winner)], undefined)];
}

function deletedStatus(resource: Resource | undefined): ResourceStatus | undefined {
  if (resource === undefined) return undefined;
  return { id: resource.id, file: "", line: 0, refusals: [], inForce: "previous", isDeleted: true };
}
