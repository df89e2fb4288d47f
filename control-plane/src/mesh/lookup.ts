// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** What is known of one kind by key. Immutable. */
export interface Lookup<Value> {
  readonly size: number;
  get(key: string): Value | undefined;
  has(key: string): boolean;
  /** All of it, in order of precedence: the same array as long as nothing changes. */
  values(): readonly Value[];
  entries(): Iterable<readonly [string, Value]>;
  /** Equal as long as nothing changes; undefined for one that cannot tell without being read. */
  readonly revision: unknown;
}

/** Makes a lookup of a map that nobody changes any more. */
export function lookupIn<Value>(byKey: ReadonlyMap<string, Value>): Lookup<Value> {
  const list = [...byKey.values()];
  return {
    size: list.length,
    get: (key) => byKey.get(key),
    has: (key) => byKey.has(key),
    values: () => list,
    entries: () => byKey,
    revision: list,
  };
}

/** The lookup with other values under keys that it has. */
export function withReplaced<Value>(
  before: Lookup<Value>,
  changes: Iterable<readonly [string, Value]>,
): Lookup<Value> {
  const byKey = new Map(before.entries());
  for (const [key, value] of changes) byKey.set(key, value);
  return lookupIn(byKey);
}
