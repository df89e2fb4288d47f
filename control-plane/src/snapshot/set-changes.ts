// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { ResourceEntry } from "./resource-entry.ts";
import type { ResourceSet } from "./snapshot.ts";

/** What became of one set of resources in another. */
export interface SetChanges {
  readonly upserts: readonly ResourceEntry[];
  readonly removals: readonly string[];
}

/** No changes. */
export const NO_CHANGES: SetChanges = { upserts: [], removals: [] };

const known = new WeakMap<ResourceSet, WeakMap<ResourceSet, SetChanges>>();

/**
 * The changes from one set to another. They are found once, however many streams go the same way, and forgotten with
 * either set.
 */
export function changesBetween(before: ResourceSet, after: ResourceSet): SetChanges {
  if (before === after) return NO_CHANGES;
  const noted = known.get(after)?.get(before);
  if (noted !== undefined) return noted;
  const found = compare(before, after);
  noteChanges(before, after, found);
  return found;
}

/** Notes the changes from one set to another where whoever made them knows them. */
export function noteChanges(before: ResourceSet, after: ResourceSet, changes: SetChanges): void {
  const ofAfter = known.get(after) ?? new WeakMap<ResourceSet, SetChanges>();
  known.set(after, ofAfter);
  ofAfter.set(before, changes);
}

function compare(before: ResourceSet, after: ResourceSet): SetChanges {
  const upserts: ResourceEntry[] = [];
  const removals: string[] = [];
  for (const entry of after.values()) {
    const known = before.get(entry.name);
    if (known !== entry && known?.version !== entry.version) upserts.push(entry);
  }
  for (const name of before.keys()) if (!after.has(name)) removals.push(name);
  return { upserts, removals };
}
