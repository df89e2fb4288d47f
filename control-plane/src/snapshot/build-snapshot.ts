// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Message } from "@msm/xds-protos";
import type { Mesh } from "../mesh/mesh.ts";
import type { Produced } from "../translate/produced.ts";
import { type Profile, translateParts } from "../translate/translate-mesh.ts";
import { createEntry, type ResourceEntry } from "./resource-entry.ts";
import { createSnapshot, type ResourceSet, type Snapshot, snapshotOf } from "./snapshot.ts";
import { updateSnapshot } from "./update-snapshot.ts";

type Parts = ReturnType<typeof translateParts>;

const partsOf = new WeakMap<Snapshot, Parts>();

/**
 * Translates a mesh for one profile and encodes what is new in it. Where only the content of resources differs from
 * `before`, that is all that is looked at.
 */
export function buildSnapshot(
  mesh: Mesh,
  profile: Profile,
  isComplete: boolean,
  before?: Snapshot,
): Snapshot {
  const parts = translateParts(mesh, profile);
  const known = before?.isComplete === isComplete ? partsOf.get(before) : undefined;
  const changed = known && changedContent(known, parts);
  const snapshot =
    before === undefined || changed === undefined
      ? snapshotOf(setsOf(parts), isComplete)
      : updateSnapshot(before, changed.map(entryOf));
  partsOf.set(snapshot, parts);
  return snapshot;
}

// Types that come from one part are the same set for every profile: their version is made once.
function setsOf(parts: Parts): ReadonlyMap<string, ResourceSet> {
  const found = new Map<string, ResourceSet[]>();
  for (const part of parts) {
    for (const [typeUrl, set] of setsOfPart(part)) found.set(typeUrl, [...(found.get(typeUrl) ?? []), set]);
  }
  return new Map(
    [...found].map(([typeUrl, [first, ...others]]) => {
      if (others.length === 0) return [typeUrl, first!];
      return [typeUrl, new Map([first!, ...others].flatMap((set) => [...set]).sort(byName))];
    }),
  );
}

const sets = new WeakMap<readonly Produced[], ReadonlyMap<string, ResourceSet>>();

function setsOfPart(part: readonly Produced[]): ReadonlyMap<string, ResourceSet> {
  const known = sets.get(part) ?? createSnapshot(inOrder(part)).types;
  sets.set(part, known);
  return known;
}

function inOrder(part: readonly Produced[]): ResourceEntry[] {
  const named = part.map(entryOf).map((entry) => [entry.name, entry] as const);
  return named.sort(byName).map(([, entry]) => entry);
}

// An update keeps the order, and the version of a set in order costs a third of what it costs to sort it.
function byName([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return left < right ? -1 : Number(left > right);
}

/** What differs, if names and order are the same. */
function changedContent(before: Parts, after: Parts): Produced[] | undefined {
  const changed: Produced[] = [];
  for (const [index, part] of after.entries()) {
    const known = before[index];
    if (part === known) continue;
    if (part.length !== known?.length) return undefined;
    for (const [at, item] of part.entries()) {
      const other = known[at]!;
      if (item === other) continue;
      if (item.name !== other.name || item.schema !== other.schema) return undefined;
      changed.push(item);
    }
  }
  return changed;
}

const entries = new WeakMap<Produced, ResourceEntry>();
const encoded = new WeakMap<Message, ResourceEntry>();

// A message that routes share is encoded once, whatever origins it is given.
function entryOf(produced: Produced): ResourceEntry {
  const known = entries.get(produced);
  if (known !== undefined) return known;
  const { schema, name, message, origins } = produced;
  const own = encoded.get(message) ?? createEntry(schema, name, message);
  encoded.set(message, own);
  const entry = { ...own, origins };
  entries.set(produced, entry);
  return entry;
}
