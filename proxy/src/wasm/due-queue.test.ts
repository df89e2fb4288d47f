// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { expect, test } from "vitest";
import { DueQueue } from "./due-queue.ts";

const CAPACITY = 16;

test("numbers come out in the order of their time, and of arrival where it is the same", () => {
  const queue = new DueQueue(CAPACITY);
  [5, 3, 5, 1, 3].forEach((dueMs, number) => {
    queue.add(number, dueMs);
  });
  expect(queue.nextMs).toBe(1);
  expect([queue.take(4), queue.take(4), queue.take(4), queue.take(4)]).toEqual([3, 1, 4, -1]);
  expect([queue.take(5), queue.take(5), queue.take(5), queue.nextMs]).toEqual([
    0,
    2,
    -1,
    Number.POSITIVE_INFINITY,
  ]);
});

test("whatever is added, moved and removed, it behaves as a sorted list", () => {
  const step = fc.tuple(fc.constantFrom("add", "remove", "take"), fc.nat(CAPACITY - 1), fc.nat(20));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue = new DueQueue(CAPACITY);
      let model: { number: number; dueMs: number }[] = [];
      for (const [what, number, ms] of steps) {
        if (what !== "take") model = model.filter((entry) => entry.number !== number);
        if (what === "add") {
          queue.add(number, ms);
          model.push({ number, dueMs: ms });
          model.sort((a, b) => a.dueMs - b.dueMs);
        } else if (what === "remove") {
          queue.remove(number);
        } else {
          const first = model[0] !== undefined && model[0].dueMs <= ms ? model.shift()!.number : -1;
          expect(queue.take(ms)).toBe(first);
        }
        expect(queue.nextMs).toBe(model[0]?.dueMs ?? Number.POSITIVE_INFINITY);
      }
    }),
  );
});
