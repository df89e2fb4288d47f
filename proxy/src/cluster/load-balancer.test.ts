// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { type BalancingPlan, defaultBalancing } from "./balancing-plan.ts";
import { type BalancedEndpoint, LoadBalancer } from "./load-balancer.ts";
import { candidates, chiSquare, clientHash, countChoices, TestWorld } from "./testing/candidates.ts";

const DRAWS = 100_000;

function endpoints(...changes: readonly Partial<BalancedEndpoint>[]): readonly BalancedEndpoint[] {
  const plain = { health: "HEALTHY", priority: 0, locality: 0, localityWeight: 1 } as const;
  return candidates(...changes.map(() => 1)).map((candidate, index) => ({
    ...candidate,
    ...plain,
    ...changes[index],
  }));
}

function counts(plan: Partial<BalancingPlan>, of: readonly BalancedEndpoint[]): readonly number[] {
  const balancer = new LoadBalancer({ ...defaultBalancing, ...plan }, of, new TestWorld());
  return countChoices((high, low) => balancer.pick(high, low), DRAWS, of.length);
}

const maglev = { policy: { kind: "MAGLEV", tableSize: 65_537 } } as const;

describe("health", () => {
  test("keeps new sessions from endpoints that are unhealthy, draining or gone", () => {
    const of = endpoints({}, { health: "UNHEALTHY" }, {}, { health: "DRAINING" }, { health: "LEFT" }, {});
    const [a, b, c, d, e, f] = counts({}, of);
    expect([b, d, e]).toEqual([0, 0, 0]);
    expect(chiSquare([a!, c!, f!], [1, 1, 1])).toBeLessThan(1);
  });

  test("is forgotten in panic, but lame ducks stay lame", () => {
    const of = endpoints({}, { health: "UNHEALTHY" }, { health: "UNHEALTHY" }, { health: "DRAINING" });
    const [a, b, c, d] = counts({}, of);
    expect(d).toBe(0);
    expect(Math.min(a!, b!, c!)).toBeGreaterThan(DRAWS / 4);
  });

  test("leaves a session without endpoint where none is well and panic is off", () => {
    const of = endpoints({ health: "UNHEALTHY" }, { health: "DRAINING" });
    const balancer = new LoadBalancer({ ...defaultBalancing, panicThreshold: 0 }, of, new TestWorld());
    expect(balancer.pick(1, 2)).toBe(-1);
    expect(new LoadBalancer(defaultBalancing, [], new TestWorld()).pick(1, 2)).toBe(-1);
    const draining = endpoints({ health: "DRAINING" });
    expect(new LoadBalancer(defaultBalancing, draining, new TestWorld()).pick(1, 2)).toBe(-1);
  });

  test("sends to degraded endpoints what healthy ones cannot carry", () => {
    const of = endpoints({}, { health: "DEGRADED" }, { health: "DEGRADED" }, { health: "DEGRADED" });
    const [healthy, ...degraded] = counts({}, of);
    // One of four healthy, with overprovisioning: 35 %.
    expect(chiSquare([healthy!, ...degraded], [105, 65, 65, 65])).toBeLessThan(3.8);
  });
});

describe("priorities", () => {
  test("the second level helps by what the first cannot carry", () => {
    const of = endpoints({}, { health: "UNHEALTHY" }, { priority: 1 }, { priority: 1 });
    const [a, b, c, d] = counts({}, of);
    expect(b).toBe(0);
    expect(chiSquare([a!, c!, d!], [70, 15, 15])).toBeLessThan(4.6);
  });

  test("a client keeps its level and endpoint under a hash policy", () => {
    const of = endpoints({}, { health: "UNHEALTHY" }, { priority: 1 }, { priority: 1 });
    const one = new LoadBalancer({ ...defaultBalancing, ...maglev }, of, new TestWorld(1));
    const other = new LoadBalancer({ ...defaultBalancing, ...maglev }, of, new TestWorld(2));
    for (let n = 0; n < 1000; n++) {
      const { high, low } = clientHash(n);
      expect(one.pick(high, low)).toBe(other.pick(high, low));
    }
    expect(
      chiSquare(
        counts(maglev, of).filter((count) => count > 0),
        [70, 15, 15],
      ),
    ).toBeLessThan(4.6);
  });
});

describe("locality weights", () => {
  const weighted: Partial<BalancingPlan> = { isLocalityWeighted: true };
  const stable = { locality: 0, localityWeight: 90 };
  const canary = { locality: 1, localityWeight: 10 };

  test("divide sessions between localities, whatever the number of their endpoints", () => {
    const [a, b] = counts(weighted, endpoints(stable, canary, canary, canary));
    expect(a! / DRAWS).toBeCloseTo(0.9, 2);
    expect(b! / DRAWS).toBeCloseTo(0.1 / 3, 2);
  });

  test("leave endpoint weights their say within a locality", () => {
    const [, b, c] = counts(weighted, endpoints(stable, { ...canary, weight: 3 }, canary));
    expect(b! / c!).toBeCloseTo(3, 1);
  });

  test("lose to other localities what their healthy endpoints cannot carry", () => {
    const gone = { health: "UNHEALTHY" as const };
    const of = endpoints(
      stable,
      { ...canary, localityWeight: 90 },
      { ...canary, ...gone },
      { ...canary, ...gone },
    );
    const even = of.map((endpoint) => ({ ...endpoint, localityWeight: 90 }));
    const [a, b] = counts({ ...weighted, panicThreshold: 0 }, even);
    // A third of the second locality is left: 140 % of a third of its 90.
    expect(b! / a!).toBeCloseTo(1.4 / 3, 1);
  });

  test("of 0 take a locality out", () => {
    expect(counts(weighted, endpoints(stable, { ...canary, localityWeight: 0 }))).toEqual([DRAWS, 0]);
  });

  test("count under a hash policy, too", () => {
    const [a, b] = counts({ ...weighted, ...maglev }, endpoints(stable, canary));
    expect(a! / (a! + b!)).toBeCloseTo(0.9, 2);
  });
});
