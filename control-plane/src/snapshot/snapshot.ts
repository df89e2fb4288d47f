// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { ResourceReference } from "./references.ts";
import { contentVersion, type ResourceEntry } from "./resource-entry.ts";

/** The resources of one type, by name. */
export type ResourceSet = ReadonlyMap<string, ResourceEntry>;

/** Everything that one group of proxies should have at one moment. Immutable. */
export interface Snapshot {
  readonly version: string;
  /** By type URL; a type without resources may be missing. */
  readonly types: ReadonlyMap<string, ResourceSet>;
  /**
   * False while some configuration could not be read since the start. Then a resource that a proxy holds and that
   * is missing here may be one of those, and is not taken from it.
   */
  readonly isComplete: boolean;
}

const EMPTY: ResourceSet = new Map();

/** The resources of a type, none if there are none. */
export function resourcesOf(snapshot: Snapshot, typeUrl: string): ResourceSet {
  return snapshot.types.get(typeUrl) ?? EMPTY;
}

/** Puts entries into a snapshot whose version is made from theirs. */
export function createSnapshot(entries: Iterable<ResourceEntry>, isComplete: boolean): Snapshot {
  const types = new Map<string, Map<string, ResourceEntry>>();
  for (const entry of entries) {
    const set = types.get(entry.typeUrl) ?? new Map<string, ResourceEntry>();
    types.set(entry.typeUrl, set.set(entry.name, entry));
  }
  const sets = [...types.keys()]
    .sort()
    .map((typeUrl) => `${typeUrl} ${setVersion(types.get(typeUrl)!.values())}`);
  return { version: contentVersion(sets.join("\n")), types, isComplete };
}

/** One version for several entries: it changes when one of them does, whatever their order. */
export function setVersion(entries: Iterable<{ readonly name: string; readonly version: string }>): string {
  const lines = [...entries].map(({ name, version }) => `${name}\0${version}`).sort();
  return contentVersion(lines.join("\n"));
}

/** The references of resources in the snapshot to resources that it lacks; empty when it is consistent. */
export function missingReferences(snapshot: Snapshot): readonly ResourceReference[] {
  const missing: ResourceReference[] = [];
  for (const set of snapshot.types.values()) {
    for (const { references } of set.values()) {
      missing.push(...references.filter(({ typeUrl, name }) => !resourcesOf(snapshot, typeUrl).has(name)));
    }
  }
  return missing;
}
