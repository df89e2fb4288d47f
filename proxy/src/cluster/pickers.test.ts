// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import type { BalancingPolicy } from "./balancing-plan.ts";
import { createPicker } from "./create-picker.ts";
import { candidates, chiSquare, clientHash, countChoices, TestWorld } from "./testing/candidates.ts";

const DRAWS = 100_000;
const roundRobin: BalancingPolicy = { kind: "ROUND_ROBIN", slowStart: undefined };
const leastRequest: BalancingPolicy = {
  kind: "LEAST_REQUEST",
  choiceCount: 2,
  activeRequestBias: 1,
  slowStart: undefined,
};
const random: BalancingPolicy = { kind: "RANDOM" };
const ringHash: BalancingPolicy = { kind: "RING_HASH", minimumRingSize: 1024, maximumRingSize: 8_388_608 };
const maglev: BalancingPolicy = { kind: "MAGLEV", tableSize: 65_537 };

function choices(policy: BalancingPolicy, weights: readonly number[]): readonly number[] {
  const picker = createPicker(policy, candidates(...weights), new TestWorld());
  return countChoices((high, low) => picker.pick(high, low), DRAWS, weights.length);
}

describe("over 100,000 choices", () => {
  test.each([
    ["even", [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]],
    ["90 to 10", [90, 10]],
    ["uneven", [1, 2, 3, 4]],
  ])("ROUND_ROBIN keeps %s weights to the session", (_, weights) => {
    const total = weights.reduce((sum, weight) => sum + weight);
    choices(roundRobin, weights).forEach((count, index) => {
      expect(Math.abs(count - (DRAWS * weights[index]!) / total)).toBeLessThanOrEqual(1);
    });
  });

  // The statistic has mean 1 and, with 9 degrees of freedom, is above 2.4 once in a hundred honest runs.
  test.each([
    ["RANDOM", random, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]],
    ["RANDOM", random, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
    ["LEAST_REQUEST among idle endpoints", leastRequest, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]],
    ["MAGLEV", maglev, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]],
    ["MAGLEV", maglev, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
  ])("%s passes the chi-square test", (_, policy, weights) => {
    expect(chiSquare(choices(policy, weights), weights)).toBeLessThan(2.4);
  });

  // Arcs differ: the standard deviation of a share is its part of the square root of its places.
  test.each([
    ["even", 1024, 0.2, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]],
    ["uneven", 1024, 0.2, [1, 2, 3, 4]],
    ["even, on a large ring", 65_536, 0.05, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]],
  ])("RING_HASH follows weights (%s, %i places) as closely as its arcs do", (_, size, tolerance, weights) => {
    const counts = choices({ ...ringHash, minimumRingSize: size }, weights);
    const total = weights.reduce((sum, weight) => sum + weight);
    counts.forEach((count, index) => {
      const expected = (DRAWS * weights[index]!) / total;
      expect(Math.abs(count - expected) / expected).toBeLessThan(tolerance);
    });
  });
});

describe.each([
  ["RING_HASH", ringHash],
  ["MAGLEV", maglev],
])("%s", (_, policy) => {
  test("moves at most 12 % of the keys when one of ten endpoints goes, whichever it is", () => {
    const all = candidates(1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
    const before = createPicker(policy, all, new TestWorld());
    const movedShares = all.map((gone) => {
      const left = all.filter((candidate) => candidate !== gone);
      const after = createPicker(policy, left, new TestWorld());
      let moved = 0;
      for (let n = 0; n < 10_000; n++) {
        const { high, low } = clientHash(n);
        if (all[before.pick(high, low)] !== left[after.pick(high, low)]) moved++;
      }
      return moved / 10_000;
    });
    expect(Math.max(...movedShares)).toBeLessThanOrEqual(0.12);
    expect(Math.min(...movedShares)).toBeGreaterThan(0.07);
  });

  test("sends a key to the same endpoint in whatever order the endpoints were listed", () => {
    const all = candidates(1, 1, 1, 1, 1);
    const reversed = [...all].reverse();
    const one = createPicker(policy, all, new TestWorld(1));
    const other = createPicker(policy, reversed, new TestWorld(2));
    for (let n = 0; n < 1000; n++) {
      const { high, low } = clientHash(n);
      expect(reversed[other.pick(high, low)]).toBe(all[one.pick(high, low)]);
    }
  });
});

describe("LEAST_REQUEST", () => {
  test("prefers the endpoint with fewer sessions of those that it draws", () => {
    const world = new TestWorld();
    world.active.set(0, 100);
    const picker = createPicker(leastRequest, candidates(1, 1), world);
    const counts = countChoices((high, low) => picker.pick(high, low), DRAWS, 2);
    // The busy one is taken only where both draws are it: a quarter.
    expect(chiSquare(counts, [1, 3])).toBeLessThan(6.6);
  });

  test("divides weights by sessions where weights differ", () => {
    const world = new TestWorld();
    world.active.set(0, 1);
    const picker = createPicker(leastRequest, candidates(4, 1, 1), world);
    expect(countChoices((high, low) => picker.pick(high, low), 4000, 3)).toEqual([2000, 1000, 1000]);
  });

  test("evens out sessions that last", () => {
    const world = new TestWorld();
    const picker = createPicker(leastRequest, candidates(1, 1, 1, 1, 1, 1, 1, 1, 1, 1), world);
    for (let session = 0; session < 10_000; session++) {
      const picked = picker.pick(0, 0);
      world.active.set(picked, world.activeSessions(picked) + 1);
    }
    const counts = [...world.active.values()];
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(5);
  });
});

describe("slow start", () => {
  const slowStart = { windowMs: 10_000, aggression: 1, leastFactor: 0.1 };

  test("gives a new endpoint the least share first, half in the middle, and all of it at the end", () => {
    const world = new TestWorld();
    const [old, fresh] = candidates(1, 1) as [
      ReturnType<typeof candidates>[0],
      ReturnType<typeof candidates>[0],
    ];
    const picker = createPicker(
      { kind: "ROUND_ROBIN", slowStart },
      [old!, { ...fresh!, sinceMs: world.timeMs }],
      world,
    );
    const share = () => countChoices((high, low) => picker.pick(high, low), 11_000, 2)[1]! / 11_000;
    expect(share()).toBeCloseTo(0.1 / 1.1, 2);
    world.timeMs += 5000;
    expect(share()).toBeCloseTo(0.5 / 1.5, 2);
    world.timeMs += 5000;
    expect(share()).toBeCloseTo(0.5, 2);
  });
});

test("workers begin their round robin at different endpoints", () => {
  const world = new TestWorld();
  world.start = 4;
  const picker = createPicker(roundRobin, candidates(1, 1, 1), world);
  expect([picker.pick(0, 0), picker.pick(0, 0), picker.pick(0, 0)]).toEqual([1, 2, 0]);
});
