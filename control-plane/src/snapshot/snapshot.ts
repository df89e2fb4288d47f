// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { typeUrls } from "@msm/xds-protos";
import type { ResourceReference } from "./references.ts";
import { contentVersion, type ResourceEntry } from "./resource-entry.ts";
import { changesBetween } from "./set-changes.ts";
import { type SetSum, sumOf } from "./set-sum.ts";

/** The resources of one type, by name. */
export type ResourceSet = ReadonlyMap<string, ResourceEntry>;

/** Everything that one group of proxies should have at one moment. Immutable. */
export interface Snapshot {
  readonly version: string;
  /** By type URL; a type without resources may be missing. */
  readonly types: ReadonlyMap<string, ResourceSet>;
  /** By type URL and other name: the name of the resource that is meant. Absent where no resource has another name. */
  readonly aliases?: ReadonlyMap<string, ReadonlyMap<string, string>>;
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
export function createSnapshot(entries: Iterable<ResourceEntry>, isComplete = true): Snapshot {
  const types = new Map<string, Map<string, ResourceEntry>>();
  for (const entry of entries) {
    const set = types.get(entry.typeUrl) ?? new Map<string, ResourceEntry>();
    types.set(entry.typeUrl, set.set(entry.name, entry));
  }
  return snapshotOf(types, isComplete);
}

/** A snapshot of sets that are not changed any more: other snapshots may share them. */
export function snapshotOf(types: ReadonlyMap<string, ResourceSet>, isComplete: boolean): Snapshot {
  const sets = [...types.keys()].sort().map((typeUrl) => `${typeUrl} ${versionOf(types.get(typeUrl)!)}`);
  const version = contentVersion(sets.join("\n"));
  const aliases = aliasesOf(types);
  return { version, types, isComplete, ...(aliases.size === 0 ? {} : { aliases }) };
}

const versions = new WeakMap<ResourceSet, string>();
const sums = new WeakMap<ResourceSet, SetSum>();
const lists = new WeakMap<ResourceSet, readonly ResourceEntry[]>();

/** The version of a set of a snapshot, made once. */
export function versionOf(set: ResourceSet): string {
  const known = versions.get(set);
  if (known !== undefined) return known;
  const version = versionFrom(sumOfSet(set));
  versions.set(set, version);
  return version;
}

/** The sum over a set of a snapshot, made once. */
export function sumOfSet(set: ResourceSet): SetSum {
  const known = sums.get(set);
  if (known !== undefined) return known;
  const sum = sumOf(set.values());
  sums.set(set, sum);
  return sum;
}

/** Notes the sum over a set where whoever made the set knows it from the one before. */
export function noteSum(set: ResourceSet, sum: SetSum): void {
  sums.set(set, sum);
}

/** The resources of a set of a snapshot as one list, the same for everybody who asks. */
export function listOf(set: ResourceSet): readonly ResourceEntry[] {
  const known = lists.get(set);
  if (known !== undefined) return known;
  const list = [...set.values()];
  lists.set(set, list);
  return list;
}

function aliasesOf(
  types: ReadonlyMap<string, ResourceSet>,
): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const found = new Map<string, ReadonlyMap<string, string>>();
  for (const [typeUrl, set] of types) {
    const names = aliasesIn.get(set) ?? new Map(listAliases(set));
    aliasesIn.set(set, names);
    if (names.size > 0) found.set(typeUrl, names);
  }
  return found;
}

const aliasesIn = new WeakMap<ResourceSet, ReadonlyMap<string, string>>();

function* listAliases(set: ResourceSet): Iterable<[string, string]> {
  for (const { name, aliases } of set.values()) for (const alias of aliases) yield [alias, name];
}

/** One version for several entries: it changes when one of them does, whatever their order. */
export function setVersion(entries: Iterable<{ readonly name: string; readonly version: string }>): string {
  return versionFrom(sumOf(entries));
}

function versionFrom(sum: SetSum): string {
  return contentVersion(sum.join());
}

/**
 * The references of resources in the snapshot to resources that it lacks; empty when it is consistent. With `before`,
 * a snapshot that is consistent, only what changed since is looked at.
 */
export function missingReferences(snapshot: Snapshot, before?: Snapshot): readonly ResourceReference[] {
  const missing: ResourceReference[] = [];
  for (const entry of mayMiss(snapshot, before)) {
    for (const reference of entry.references) {
      if (!resourcesOf(snapshot, reference.typeUrl).has(reference.name)) missing.push(reference);
    }
  }
  return missing;
}

function mayMiss(snapshot: Snapshot, before: Snapshot | undefined): readonly ResourceEntry[] {
  const all = (): readonly ResourceEntry[] => [...snapshot.types.values()].flatMap(listOf);
  if (before === undefined) return all();
  const typeUrls = new Set([...before.types.keys(), ...snapshot.types.keys()]);
  const changes = [...typeUrls].map((typeUrl) =>
    changesBetween(resourcesOf(before, typeUrl), resourcesOf(snapshot, typeUrl)),
  );
  // Whatever named what is gone may be unchanged itself.
  return changes.some(({ removals }) => removals.length > 0)
    ? all()
    : changes.flatMap(({ upserts }) => upserts);
}

// Types of which resources exist only because another one names them.
const NAMED_ONLY: readonly string[] = [typeUrls.clusterLoadAssignment, typeUrls.routeConfiguration];

/** The endpoints and routes that nothing in the snapshot names: no proxy will ask for them. */
export function unusedResources(snapshot: Snapshot): readonly ResourceReference[] {
  const named = new Set<string>();
  for (const set of snapshot.types.values()) {
    for (const { references } of set.values()) {
      for (const { typeUrl, name } of references) named.add(`${typeUrl} ${name}`);
    }
  }
  return NAMED_ONLY.flatMap((typeUrl) =>
    [...resourcesOf(snapshot, typeUrl).keys()]
      .filter((name) => !named.has(`${typeUrl} ${name}`))
      .map((name) => ({ typeUrl, name })),
  );
}
