// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { type EndpointConduct, OutlierDetector } from "./outlier-detector.ts";
import type { OutlierPlan } from "./outlier-plan.ts";

const SWEEP_MS = 100;
const plan: OutlierPlan = {
  consecutiveErrors: 5,
  baseEjectionMs: 1000,
  longestEjectionMs: 2500,
  maxEjectionPercent: 50,
  intervalMs: 10_000,
};

/** An endpoint that does nothing but fail. */
const failing = (errors: number): EndpointConduct => ({
  ...{ errors, receivedDatagrams: 0, sentDatagrams: 0, sessionsActive: 0 },
});

/** Endpoints `0`, `1` and so on with their counters, and time in steps of a sweep. */
class World {
  timeMs = 0;
  readonly detector: OutlierDetector;
  readonly #errors: number[];

  constructor(endpoints: number, changes: Partial<OutlierPlan> = {}) {
    this.detector = new OutlierDetector({ ...plan, ...changes });
    this.#errors = new Array<number>(endpoints).fill(0);
    this.sweep();
  }

  /** A sweep after these new errors by endpoint. Returns the endpoints that are out. */
  sweep(...errors: readonly number[]): readonly number[] {
    for (const [endpoint, count] of errors.entries()) this.#errors[endpoint]! += count;
    this.timeMs += SWEEP_MS;
    this.detector.sweep(
      new Map(this.#errors.map((total, endpoint) => [`${endpoint}`, failing(total)])),
      this.timeMs,
    );
    return this.#errors.flatMap((_, endpoint) => (this.detector.isEjected(`${endpoint}`) ? [endpoint] : []));
  }

  /** Sweeps without errors until the endpoint is back. Returns how long that took. */
  untilBack(endpoint: number): number {
    const startMs = this.timeMs;
    while (this.detector.isEjected(`${endpoint}`)) this.sweep();
    return this.timeMs - startMs;
  }
}

test("errors in a row take an endpoint out, and a sweep without any begins anew", () => {
  const world = new World(4);
  expect(world.sweep(3)).toEqual([]);
  expect(world.sweep(0)).toEqual([]);
  expect(world.sweep(3)).toEqual([]);
  expect(world.sweep(2)).toEqual([0]);
});

test("errors from before an endpoint was first seen do not count", () => {
  const detector = new OutlierDetector(plan);
  detector.sweep(new Map([["0", failing(100)]]), 0);
  detector.sweep(new Map([["0", failing(100)]]), 100);
  expect(detector.isEjected("0")).toBe(false);
});

test("each ejection lasts longer, up to the longest, and good conduct makes it shorter again", () => {
  const world = new World(4);
  const lengths = [1, 2, 3].map(() => {
    world.sweep(5);
    return world.untilBack(0);
  });
  expect(lengths).toEqual([1000, 2000, 2500]);
  for (let sweep = 0; sweep < 200; sweep++) world.sweep();
  world.sweep(5);
  expect(world.untilBack(0)).toBe(2000);
});

test("no more endpoints than the limit are out at once, but one always may be", () => {
  const world = new World(4);
  expect(world.sweep(5, 5, 5)).toEqual([0, 1]);
  expect(new World(2, { maxEjectionPercent: 10 }).sweep(5, 5)).toEqual([0]);
});

test("without a number of errors nobody is taken out", () => {
  expect(new World(2, { consecutiveErrors: 0 }).sweep(1000)).toEqual([]);
});

test("tells when something changed, and only then", () => {
  const detector = new OutlierDetector(plan);
  const sweep = (errors: number, nowMs: number) => detector.sweep(new Map([["0", failing(errors)]]), nowMs);
  expect([sweep(0, 0), sweep(4, 100), sweep(5, 200), sweep(9, 300), sweep(9, 1200)]).toEqual([
    false,
    false,
    true,
    false,
    true,
  ]);
});

test("an endpoint that is silent for too long is out at once, however few errors there are", () => {
  const silence = { responseMs: 500, streamMs: 0 };
  const detector = new OutlierDetector({ ...plan, consecutiveErrors: 0, silence });
  const sweep = (sentDatagrams: number, receivedDatagrams: number, nowMs: number) =>
    detector.sweep(
      new Map(
        ["0", "1"].map((key) => [
          key,
          {
            ...failing(0),
            sessionsActive: 1,
            sentDatagrams,
            receivedDatagrams: key === "1" ? receivedDatagrams : 0,
          },
        ]),
      ),
      nowMs,
    );
  const changes = Array.from({ length: 9 }, (_, step) => sweep(step, step, step * SWEEP_MS));
  expect(changes.indexOf(true)).toBe(6);
  expect([detector.isEjected("0"), detector.isEjected("1")]).toEqual([true, false]);
});
