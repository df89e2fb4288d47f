// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import { PortRange } from "./port-range.ts";

test("nobody gets a port that another has, pairs are even, and none is lost", () => {
  const take = fc.record({
    type: fc.constant("take" as const),
    count: fc.constantFrom(1 as const, 2 as const),
  });
  const give = fc.record({ type: fc.constant("give" as const), which: fc.nat() });
  fc.assert(
    fc.property(fc.nat({ max: 9 }), fc.array(fc.oneof(take, give), { maxLength: 100 }), (start, steps) => {
      const range = new PortRange(100, 109, start);
      const held: number[] = [];
      for (const step of steps) {
        if (step.type === "give") {
          const [port] = held.splice(step.which % Math.max(1, held.length), 1);
          if (port !== undefined) range.give(port);
          continue;
        }
        const first = range.take(step.count);
        const isFree = (port: number): boolean => port <= 109 && !held.includes(port);
        const candidates = Array.from({ length: 10 }, (_, i) => 100 + i).filter((port) =>
          step.count === 1 ? isFree(port) : port % 2 === 0 && isFree(port) && isFree(port + 1),
        );
        if (first < 0) expect(candidates).toEqual([]);
        else {
          expect(candidates).toContain(first);
          for (let i = 0; i < step.count; i++) held.push(first + i);
        }
        expect(range.free).toBe(10 - held.length);
      }
    }),
  );
});

test("a port that was given back is taken last", () => {
  const range = new PortRange(100, 103);
  expect([range.take(1), range.take(1)]).toEqual([100, 101]);
  range.give(100);
  expect([range.take(1), range.take(1), range.take(1), range.take(1)]).toEqual([102, 103, 100, -1]);
});

test("a port that the user names is claimed once, also outside of the range", () => {
  const range = new PortRange(100, 103);
  expect([range.claim(101), range.claim(101), range.claim(7)]).toEqual([true, false, true]);
});
