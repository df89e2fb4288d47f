// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { clusterParts } from "./cluster-parts.ts";
import type { WorkerClusterChange } from "./protocol.ts";

const fresh = (name: string, count: number): WorkerClusterChange => ({
  ...{ name, counters: 0 },
  endpoints: Array.from({ length: count }, (_, id) => ({ id, counters: 0, address: "10.0.0.1", port: id })),
});
const known = (name: string, count: number): WorkerClusterChange => ({
  ...{ name, counters: 0 },
  endpoints: Array.from({ length: count }, (_, id) => id),
});
const names = (changes: readonly WorkerClusterChange[]) =>
  clusterParts(changes, 100).map((part) => part.map(({ name }) => name));

test("changes that cost little go together, in their order", () => {
  expect(names([fresh("a", 2), fresh("b", 3), known("c", 50)])).toEqual([["a", "b", "c"]]);
});

test("a part ends where the next cluster would be too much for it", () => {
  expect(names([fresh("a", 6), fresh("b", 5), known("c", 40), known("d", 40)])).toEqual([
    ["a"],
    ["b", "c"],
    ["d"],
  ]);
});

test("a cluster that is too much alone has a part of its own, whole", () => {
  expect(names([known("a", 1), fresh("b", 1000), known("c", 1)])).toEqual([["a"], ["b"], ["c"]]);
});

test("nothing is no part", () => {
  expect(names([])).toEqual([]);
});
