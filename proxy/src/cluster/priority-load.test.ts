// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import { priorityLoads } from "./priority-load.ts";

const options = { overprovisioningFactor: 140, panicThreshold: 50 };

/** Loads of levels that have 100 endpoints each, so many of them healthy. */
function healthyLoads(healthy: readonly number[], panicThreshold = 0): readonly number[] {
  const levels = healthy.map((count) => ({ healthy: count, degraded: 0, total: 100 }));
  return priorityLoads(levels, { ...options, panicThreshold }).map((load) => load.healthy);
}

// The tables of Envoy's documentation, "Priority levels".
test.each([
  [
    [100, 100],
    [100, 0],
  ],
  [
    [72, 100],
    [100, 0],
  ],
  [
    [71, 100],
    [99, 1],
  ],
  [
    [50, 100],
    [70, 30],
  ],
  [
    [25, 100],
    [35, 65],
  ],
  [
    [0, 100],
    [0, 100],
  ],
  [
    [25, 25],
    [50, 50],
  ],
  [
    [100, 100, 100],
    [100, 0, 0],
  ],
  [
    [72, 0, 100],
    [100, 0, 0],
  ],
  [
    [50, 20, 100],
    [70, 28, 2],
  ],
  [
    [25, 100, 100],
    [35, 65, 0],
  ],
  [
    [25, 25, 100],
    [35, 35, 30],
  ],
])("levels with %j percent healthy get %j percent", (healthy, loads) => {
  expect(healthyLoads(healthy)).toEqual(loads);
});

test("degraded endpoints get what the healthy ones of every level cannot carry", () => {
  const levels = [
    { healthy: 5, degraded: 10, total: 100 },
    { healthy: 5, degraded: 0, total: 100 },
  ];
  const loads = priorityLoads(levels, { ...options, panicThreshold: 0 });
  // Capacities of 7, 7 and 14 percent are a quarter, a quarter and a half of what there is.
  expect(loads.map(({ healthy, degraded }) => [healthy, degraded])).toEqual([
    [25, 50],
    [25, 0],
  ]);
});

test("a level is in panic only while all levels together cannot carry everything", () => {
  const panics = (healthy: readonly number[]) =>
    priorityLoads(
      healthy.map((count) => ({ healthy: count, degraded: 0, total: 100 })),
      options,
    ).map(({ isInPanic }) => isInPanic);
  expect(panics([72, 72])).toEqual([false, false]);
  expect(panics([25, 72])).toEqual([false, false]);
  expect(panics([5, 65])).toEqual([true, false]);
  expect(panics([5, 5])).toEqual([true, true]);
});

test("without a threshold endpoints that are not well get nothing", () => {
  const levels = [{ healthy: 0, degraded: 0, total: 3 }];
  expect(priorityLoads(levels, { ...options, panicThreshold: 0 })).toEqual([
    { healthy: 0, degraded: 0, isInPanic: false },
  ]);
});

test("loads are whole percents that add up to 100 wherever an endpoint is well", () => {
  const level = fc
    .tuple(fc.nat(20), fc.nat(20), fc.nat(20))
    .map(([healthy, degraded, rest]) => ({ healthy, degraded, total: healthy + degraded + rest }));
  fc.assert(
    fc.property(fc.array(level, { minLength: 1, maxLength: 5 }), fc.nat(100), (levels, panicThreshold) => {
      const loads = priorityLoads(levels, { ...options, panicThreshold });
      const sum = loads.reduce((total, { healthy, degraded }) => total + healthy + degraded, 0);
      const isAnyWell = levels.some(({ healthy, degraded }) => healthy + degraded > 0);
      expect(loads.every(({ healthy, degraded }) => healthy >= 0 && degraded >= 0)).toBe(true);
      if (isAnyWell) expect(sum).toBe(100);
    }),
  );
});
