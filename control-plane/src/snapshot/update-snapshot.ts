// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { isSameList } from "../is-same-list.ts";
import type { ResourceReference } from "./references.ts";
import type { ResourceEntry } from "./resource-entry.ts";
import { noteChanges } from "./set-changes.ts";
import { changedSum } from "./set-sum.ts";
import { noteSum, type ResourceSet, resourcesOf, type Snapshot, snapshotOf, sumOfSet } from "./snapshot.ts";

interface Updated {
  readonly upserts: readonly ResourceEntry[];
  readonly removals: readonly string[];
  /** Weak, or whoever holds an old set would hold every one since. */
  readonly after: WeakRef<ResourceSet>;
}

// Snapshots may share sets: what is made of one by the same change is one set, too.
const lastUpdate = new WeakMap<ResourceSet, Updated>();

/**
 * A snapshot with some resources replaced or added and others removed. Types that are not touched are shared with the
 * one before, so that a change costs as much as the types that it concerns.
 */
export function updateSnapshot(
  before: Snapshot,
  upserts: Iterable<ResourceEntry>,
  removals: Iterable<ResourceReference> = [],
): Snapshot {
  const changes = new Map<string, { upserts: ResourceEntry[]; removals: string[] }>();
  const changeOf = (typeUrl: string) => {
    const change = changes.get(typeUrl) ?? { upserts: [], removals: [] };
    changes.set(typeUrl, change);
    return change;
  };
  for (const { typeUrl, name } of removals) changeOf(typeUrl).removals.push(name);
  for (const entry of upserts) changeOf(entry.typeUrl).upserts.push(entry);
  const types = new Map<string, ResourceSet>(before.types);
  for (const [typeUrl, change] of changes) {
    types.set(typeUrl, updateSet(resourcesOf(before, typeUrl), change.upserts, change.removals));
  }
  return snapshotOf(types, before.isComplete);
}

function updateSet(
  before: ResourceSet,
  upserts: readonly ResourceEntry[],
  removals: readonly string[],
): ResourceSet {
  const known = lastUpdate.get(before);
  if (known !== undefined && isSameList(known.upserts, upserts) && isSameList(known.removals, removals)) {
    const shared = known.after.deref();
    if (shared !== undefined) return shared;
  }
  const after = new Map(before);
  for (const name of removals) after.delete(name);
  for (const entry of upserts) after.set(entry.name, entry);
  const changed = [...new Set(upserts)].filter(
    (entry) => after.get(entry.name) === entry && before.get(entry.name)?.version !== entry.version,
  );
  const removed = [...new Set(removals)].filter((name) => before.has(name) && !after.has(name));
  noteChanges(before, after, { upserts: changed, removals: removed });
  const went = [...changed.map(({ name }) => name), ...removed].flatMap((name) => before.get(name) ?? []);
  noteSum(after, changedSum(sumOfSet(before), changed, went));
  lastUpdate.set(before, { upserts, removals, after: new WeakRef(after) });
  return after;
}
