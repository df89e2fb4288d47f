// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { leastRequest } from "./least-request.ts";
import { LoadMeter } from "./load-meter.ts";
import type { Candidate, Picker } from "./picker.ts";
import { candidates, TestWorld } from "./testing/candidates.ts";

const options = {
  ...{ choiceCount: 2, activeRequestBias: 1, slowStart: undefined },
  leastBy: "bits_per_second",
} as const;

function metered(world: TestWorld, ...weights: readonly number[]): readonly Candidate[] {
  return candidates(...weights).map((candidate) => ({
    ...candidate,
    meter: new LoadMeter({ bytes: 0, sessions: 0 }, world.nowMs()),
  }));
}

/** How often each of the endpoints is taken in so many choices; sessions are counted where `world` is told. */
function shares(
  picker: Picker,
  endpoints: number,
  choices: number,
  onPick = (_: number) => {},
): readonly number[] {
  const counts = new Array<number>(endpoints).fill(0);
  for (let choice = 0; choice < choices; choice++) {
    const picked = picker.pick(0, 0);
    counts[picked]! += 1;
    onPick(picked);
  }
  return counts;
}

test("of two that are drawn the one that carries less is taken, whatever its sessions are", () => {
  const world = new TestWorld();
  const picker = leastRequest(metered(world, 1, 1, 1), options, world);
  world.active.set(0, 1).set(1, 9).set(2, 5);
  world.bytesBySlot.set(0, 1_000_000).set(1, 10_000).set(2, 500_000);
  world.timeMs += 250;
  // The busiest is taken only where it is drawn twice, the least busy one wherever it is drawn.
  const [busiest, idlest, middle] = shares(picker, 3, 9000) as [number, number, number];
  expect(busiest / 9000).toBeCloseTo(1 / 9, 1);
  expect(idlest / 9000).toBeCloseTo(5 / 9, 1);
  expect(middle / 9000).toBeCloseTo(3 / 9, 1);
});

test("an endpoint of twice the weight may carry twice as much", () => {
  const world = new TestWorld();
  const picker = leastRequest(metered(world, 2, 1), options, world);
  world.bytesBySlot.set(0, 1_500_000).set(1, 1_000_000);
  world.timeMs += 1000;
  const [heavy, light] = shares(picker, 2, 4000) as [number, number];
  expect(heavy).toBeGreaterThan(2.5 * light);
});

test("before something was measured, sessions decide", () => {
  const world = new TestWorld();
  const picker = leastRequest(metered(world, 1, 1), options, world);
  world.active.set(0, 7).set(1, 2);
  const [many, few] = shares(picker, 2, 4000) as [number, number];
  expect(few).toBeGreaterThan(2.5 * many);
});

test("a rush of sessions does not all go to the endpoint that carried least", () => {
  const world = new TestWorld();
  const picker = leastRequest(metered(world, 1, 1), options, world);
  world.active.set(0, 10).set(1, 10);
  world.bytesBySlot.set(0, 1_000_000).set(1, 900_000);
  world.timeMs += 1000;
  const onPick = (picked: number) => world.active.set(picked, world.active.get(picked)! + 1);
  const [one, other] = shares(picker, 2, 200, onPick) as [number, number];
  expect(Math.abs(one - other)).toBeLessThan(20);
});
