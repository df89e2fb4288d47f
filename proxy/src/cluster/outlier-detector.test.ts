// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { type EndpointConduct, OutlierDetector } from "./outlier-detector.ts";
import type { OutlierPlan } from "./outlier-plan.ts";
import { conduct, outlierPlan } from "./testing/outliers.ts";

const SWEEP_MS = 100;
const plan = outlierPlan(5, { longestEjectionMs: 2500 });

/** Endpoints `0`, `1` and so on with their counters, and time in steps of a sweep. */
class World {
  timeMs = 0;
  readonly detector: OutlierDetector;
  readonly #conducts: EndpointConduct[];

  constructor(endpoints: number, changes: Partial<OutlierPlan> = {}, random: () => number = () => 0) {
    this.detector = new OutlierDetector({ ...plan, ...changes }, random);
    this.#conducts = Array.from({ length: endpoints }, () => conduct({}));
    this.sweep();
  }

  /** A sweep after these new errors by endpoint. Returns the endpoints that are out. */
  sweep(...errors: readonly number[]): readonly number[] {
    return this.see(...errors.map((count) => ({ errors: count })));
  }

  /** A sweep in which the counters have grown by so much. Returns the endpoints that are out. */
  see(...growth: readonly Partial<EndpointConduct>[]): readonly number[] {
    for (const [endpoint, { media, ...counters }] of growth.entries()) {
      const sums: Record<string, unknown> = { ...this.#conducts[endpoint], media };
      for (const [name, count] of Object.entries(counters)) sums[name] = Number(sums[name]) + Number(count);
      this.#conducts[endpoint] = conduct(sums);
    }
    this.timeMs += SWEEP_MS;
    this.detector.sweep(
      new Map(this.#conducts.map((known, endpoint) => [`${endpoint}`, known])),
      this.timeMs,
    );
    return this.#conducts.flatMap((_, endpoint) =>
      this.detector.isEjected(`${endpoint}`) ? [endpoint] : [],
    );
  }

  /** Sweeps without errors until the endpoint is back. Returns how long that took. */
  untilBack(endpoint: number): number {
    const startMs = this.timeMs;
    while (this.detector.isEjected(`${endpoint}`)) this.sweep();
    return this.timeMs - startMs;
  }

  /** Sweeps until an interval of the plan is over. Returns the endpoints that are out then. */
  interval(): readonly number[] {
    for (let sweep = 0; sweep < plan.intervalMs / SWEEP_MS; sweep++) this.sweep();
    return this.sweep();
  }
}

describe("errors of sockets", () => {
  test("in a row take an endpoint out, and a sweep without any begins anew", () => {
    const world = new World(4);
    expect(world.sweep(3)).toEqual([]);
    expect(world.sweep(0)).toEqual([]);
    expect(world.sweep(3)).toEqual([]);
    expect(world.sweep(2)).toEqual([0]);
    expect([...world.detector.ejections]).toEqual([["errors", 1]]);
  });

  test("do not count where they are from before an endpoint was first seen", () => {
    const detector = new OutlierDetector(plan, () => 0);
    detector.sweep(new Map([["0", conduct({ errors: 100 })]]), 0);
    detector.sweep(new Map([["0", conduct({ errors: 100 })]]), 100);
    expect(detector.isEjected("0")).toBe(false);
  });

  test("count as local ones where origins are split", () => {
    const serverErrors = { limit: 1, enforcing: 100 };
    const localErrors = { limit: 7, enforcing: 100 };
    const world = new World(2, {
      consecutive: { isSplit: true, serverErrors, gatewayErrors: serverErrors, localErrors },
    });
    expect(world.sweep(6)).toEqual([]);
    expect(world.sweep(1)).toEqual([0]);
  });

  test("take nobody out where they are not enforced, and as often as the percentage says where by lot", () => {
    expect(new World(2, { consecutive: outlierPlan(0).consecutive }).sweep(1000)).toEqual([]);
    const { consecutive } = plan;
    const byLot = { consecutive: { ...consecutive, serverErrors: { limit: 5, enforcing: 30 } } };
    expect(new World(2, byLot, () => 0.29).sweep(5)).toEqual([0]);
    expect(new World(2, byLot, () => 0.31).sweep(5)).toEqual([]);
  });
});

describe("ejections", () => {
  test("last longer each time, up to the longest, and good conduct makes them shorter again", () => {
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

  test("last a random part of the jitter longer", () => {
    const world = new World(4, { ejectionJitterMs: 1000 }, () => 0.5);
    world.sweep(5);
    expect(world.untilBack(0)).toBe(1500);
  });

  test("leave in what would be more than the limit, but one endpoint always may be out", () => {
    const world = new World(4);
    expect(world.sweep(5, 5, 5)).toEqual([0, 1]);
    expect(world.detector.overflows).toBe(1);
    expect(new World(2, { maxEjectionPercent: 10 }).sweep(5, 5)).toEqual([0]);
  });

  test("are told of when something changed, and only then", () => {
    const detector = new OutlierDetector(plan, () => 0);
    const sweep = (errors: number, nowMs: number) =>
      detector.sweep(new Map([["0", conduct({ errors })]]), nowMs);
    expect([sweep(0, 0), sweep(4, 100), sweep(5, 200), sweep(9, 300), sweep(9, 1200)]).toEqual([
      false,
      false,
      true,
      false,
      true,
    ]);
  });
});

describe("results of requests", () => {
  test("take an endpoint out when a worker says that enough failed in a row", () => {
    const world = new World(3);
    expect(world.see({ verdicts: 1 })).toEqual([0]);
    expect([...world.detector.ejections.keys()]).toEqual(["results"]);
  });

  test("take an endpoint out whose success rate is far below that of the others, after the interval", () => {
    const world = new World(4);
    const well = { successes: 98, serverErrors: 2 };
    expect(world.see(well, well, well, { successes: 70, serverErrors: 20, connectFailures: 10 })).toEqual([]);
    expect(world.interval()).toEqual([3]);
    expect([...world.detector.ejections.keys()]).toEqual(["success_rate"]);
    const rates = world.detector.rates.latest("external")!;
    expect([rates.average, rates.byKey.get("3")]).toEqual([91, 70]);
    expect(rates.threshold).toBeCloseTo(91 - 1.3 * Math.sqrt((3 * 7 ** 2 + 21 ** 2) / 4));
    expect(world.interval()).toEqual([]);
  });

  test("conclude nothing from too few results, or too few endpoints that have enough", () => {
    const bad = { serverErrors: 9 };
    expect(new World(4).see(bad, bad, bad, bad)).toEqual([]);
    const world = new World(4);
    world.see({ successes: 100 }, { serverErrors: 100 }, { successes: 9 }, { successes: 9 });
    expect(world.interval()).toEqual([]);
    expect(world.detector.rates.latest("external")).toBeUndefined();
  });

  test("take endpoints out of which too many fail, be it that all are alike", () => {
    const world = new World(3, { maxEjectionPercent: 100 });
    const bad = { successes: 14, serverErrors: 86 };
    world.see(bad, bad, bad);
    expect(world.interval()).toEqual([0, 1, 2]);
    expect([...world.detector.ejections]).toEqual([["failure_percentage", 3]]);
  });

  test("of both origins are judged apart where these are split", () => {
    const world = new World(4, { consecutive: { ...plan.consecutive, isSplit: true } });
    const answers = { successes: 100, serverErrors: 20 };
    world.see(answers, answers, answers, { ...answers, connectFailures: 60 });
    expect(world.interval()).toEqual([3]);
    expect(world.detector.rates.latest("external")!.average).toBeCloseTo(100 / 1.2);
    expect(world.detector.rates.latest("local")!.byKey.get("3")).toBeCloseTo(100 / 1.5);
  });
});

describe("media", () => {
  const media = { lossPercent: 5, jitterMs: 30 };
  const look = (number: number, lost: number, jitterMs = 1) => ({
    media: { look: number, expected: 100, lost, jitterMs },
  });

  test("with too much loss at two looks that follow each other take an endpoint out", () => {
    const world = new World(3, { media });
    expect(world.see(look(1, 6), look(1, 5))).toEqual([]);
    expect(world.see(look(1, 6), look(1, 5))).toEqual([]);
    expect(world.see(look(2, 6), look(2, 5))).toEqual([0]);
    expect([...world.detector.ejections.keys()]).toEqual(["loss"]);
  });

  test("with too much jitter do so as well; one good look, or too few packets, prove nothing", () => {
    const world = new World(3, { media });
    expect(world.see(look(1, 0, 31))).toEqual([]);
    expect(world.see(look(2, 0, 29))).toEqual([]);
    expect(world.see(look(3, 0, 31))).toEqual([]);
    expect(world.see({ media: { look: 4, expected: 19, lost: 19, jitterMs: 500 } })).toEqual([]);
    expect(world.see(look(5, 0, 31))).toEqual([0]);
    expect([...world.detector.ejections.keys()]).toEqual(["jitter"]);
  });
});

test("an endpoint that is silent for too long is out at once, however few errors there are", () => {
  const silence = { responseMs: 500, streamMs: 0 };
  const detector = new OutlierDetector({ ...outlierPlan(0), silence }, () => 0);
  const sweep = (sentDatagrams: number, receivedDatagrams: number, nowMs: number) =>
    detector.sweep(
      new Map([
        ["0", conduct({ sessionsActive: 1, sentDatagrams })],
        ["1", conduct({ sessionsActive: 1, sentDatagrams, receivedDatagrams })],
      ]),
      nowMs,
    );
  const changes = Array.from({ length: 9 }, (_, step) => sweep(step, step, step * SWEEP_MS));
  expect(changes.indexOf(true)).toBe(6);
  expect([detector.isEjected("0"), detector.isEjected("1")]).toEqual([true, false]);
});
