// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { expect, test } from "vitest";
import { changedSum, sumOf } from "./set-sum.ts";

const entry = fc.record({
  name: fc.constantFrom("a", "b", "c", "d"),
  version: fc.constantFrom("1", "2", "3"),
});
const set = fc.uniqueArray(entry, { selector: ({ name }) => name });

test("a sum that followed every change is that of what is there now, in any order", () => {
  fc.assert(
    fc.property(set, fc.array(set, { maxLength: 5 }), (first, later) => {
      let entries = first;
      let sum = sumOf(entries);
      for (const next of later) {
        sum = changedSum(sum, next, entries);
        entries = next;
      }
      expect(sum).toEqual(sumOf([...entries].reverse()));
    }),
  );
});

test("sets that differ in a name or a version have different sums", () => {
  fc.assert(
    fc.property(set, set, (left, right) => {
      const text = (entries: typeof left): string =>
        entries
          .map(({ name, version }) => `${name} ${version}`)
          .sort()
          .join("\n");
      const isSame = sumOf(left).join() === sumOf(right).join();
      expect(isSame).toBe(text(left) === text(right));
    }),
  );
});
