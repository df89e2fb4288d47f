// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMessage } from "@msm/xds-protos";
import { isSameList } from "../is-same-list.ts";
import type { Produced } from "./produced.ts";

/** What several parts of a translation made, each resource once. */
export interface Merged {
  readonly lists: readonly (readonly Produced[])[];
  readonly items: readonly Produced[];
}

/**
 * Makes one resource of those with the same name, each of which has the same content: routes may share a backend and
 * listeners a filter. Its origins add up. The same items give the same object. `before` is what was made last.
 */
export function mergeProduced(lists: readonly (readonly Produced[])[], before?: Merged): Merged {
  if (before !== undefined && hasSameNames(before, lists)) return { lists, items: lists.flat() };
  const bySchema = new Map<DescMessage, Map<string, Produced>>();
  const shared = new Map<Produced, Produced[]>();
  for (const item of lists.flat()) {
    const byName = bySchema.get(item.schema) ?? new Map<string, Produced>();
    bySchema.set(item.schema, byName);
    const first = byName.get(item.name);
    if (first === undefined) byName.set(item.name, item);
    else if (shared.has(first)) shared.get(first)!.push(item);
    else shared.set(first, [first, item]);
  }
  if (shared.size === 0) return { lists, items: lists.flat() };
  const firsts = lists.flat().filter((item) => bySchema.get(item.schema)!.get(item.name) === item);
  return { lists, items: firsts.map((item) => mergeItems(item, shared.get(item) ?? [item])) };
}

// Whether each name stood in one list only, and the lists that differ have the same names now.
function hasSameNames(before: Merged, lists: readonly (readonly Produced[])[]): boolean {
  const count = before.lists.reduce((sum, list) => sum + list.length, 0);
  if (before.items.length !== count || before.lists.length !== lists.length) return false;
  return lists.every((list, index) => {
    const known = before.lists[index]!;
    if (list === known) return true;
    return list.length === known.length && list.every((item, at) => isNamesake(item, known[at]!));
  });
}

function isNamesake(left: Produced, right: Produced): boolean {
  return left.name === right.name && left.schema === right.schema;
}

interface MergedItem {
  readonly items: readonly Produced[];
  readonly result: Produced;
}

const known = new WeakMap<Produced, MergedItem>();

function mergeItems(first: Produced, items: readonly Produced[]): Produced {
  if (items.length === 1) return first;
  const before = known.get(first);
  if (before !== undefined && isSameList(before.items, items)) return before.result;
  const result = { ...first, origins: [...new Set(items.flatMap(({ origins }) => origins))] };
  known.set(first, { items, result });
  return result;
}
