// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { expect, test } from "vitest";
import { NameSet } from "./name-set.ts";

test("it does what a set does", () => {
  const step = fc.record({ isAdded: fc.boolean(), name: fc.constantFrom("a", "b", "c") });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const names = new NameSet();
      const model = new Set<string>();
      for (const { isAdded, name } of steps) {
        if (isAdded) names.add(name);
        else names.delete(name);
        if (isAdded) model.add(name);
        else model.delete(name);
        expect([...names]).toEqual([...model]);
        expect(names.size).toBe(model.size);
        expect(names.has(name)).toBe(isAdded);
      }
    }),
  );
});

test("names may be deleted while it is gone through, to the last", () => {
  const names = new NameSet();
  for (const name of ["a", "b", "c"]) names.add(name);
  const seen: string[] = [];
  for (const name of names) {
    seen.push(name);
    for (const other of ["a", "b", "c"]) names.delete(other);
  }
  expect(seen).toEqual(["a"]);
  expect(names.size).toBe(0);
});
