// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LiveStream } from "../datapath/datapath.ts";
import type { ClusterPlan, EndpointPlan, Plan } from "../plan.ts";
import { defaultBalancing } from "./balancing-plan.ts";
import { ClusterKeeper } from "./cluster-keeper.ts";
import type { DnsPlan } from "./discovery/dns-plan.ts";
import type { DnsAnswer } from "./discovery/lookup-name.ts";
import type { HealthChecker } from "./health-checker.ts";
import type { EndpointConduct } from "./outlier-detector.ts";
import { healthCheckPlan } from "./testing/health-check-plan.ts";
import { liveStream } from "./testing/live-stream.ts";
import { ManualClock, settle } from "./testing/manual-clock.ts";
import { conduct, outlierPlan } from "./testing/outliers.ts";

const healthChecks = [healthCheckPlan({ unhealthyThreshold: 1, healthyThreshold: 1 })];
let clock: ManualClock;
let applied: Plan[];
/** Ports that answer checks, and those that were asked. */
let well: Set<number>;
let asked: number[];
/** Errors of endpoints of the cluster `viewer`. */
let errors: Map<string, EndpointConduct>;
/** What filters say. */
let streams: readonly LiveStream[];
/** What DNS says. */
let answers: (name: string) => Promise<DnsAnswer>;
let keeper: ClusterKeeper;

beforeEach(() => {
  clock = new ManualClock();
  applied = [];
  well = new Set();
  asked = [];
  errors = new Map();
  streams = [];
  answers = () => Promise.reject(new Error("nobody answers"));
  const checker: HealthChecker = {
    readOptions: () => undefined,
    check: ({ port }) => {
      asked.push(port);
      return well.has(port) ? Promise.resolve() : Promise.reject(new Error("ECONNREFUSED"));
    },
  };
  keeper = new ClusterKeeper({
    apply: (plan) => {
      applied.push(plan);
      return Promise.resolve([]);
    },
    conducts: () => new Map([["viewer", errors]]),
    streams: () => Promise.resolve(streams),
    checkers: new Map([["fake", checker]]),
    lookup: (name) => answers(name),
    world: clock,
  });
});

afterEach(() => keeper.close());

const failing = (errors: number): EndpointConduct => conduct({ errors });

const endpoint = (port: number, changes: Partial<EndpointPlan> = {}): EndpointPlan => ({
  ...{ address: "10.0.0.1", port, health: "HEALTHY" },
  ...changes,
});

const cluster = (endpoints: readonly EndpointPlan[], changes: Partial<ClusterPlan> = {}): ClusterPlan => ({
  ...{ name: "viewer", endpoints, balancing: defaultBalancing },
  ...changes,
});

const apply = (...clusters: readonly ClusterPlan[]) => keeper.apply({ listeners: [], clusters });

/** `port health` of what the datapath has. */
function endpoints(name = "viewer"): readonly string[] | undefined {
  return applied
    .at(-1)!
    .clusters.find((made) => made.name === name)
    ?.endpoints.map(({ port, health }) => `${port} ${health}`);
}

test("a plan without checks and linger reaches the datapath as it is", async () => {
  const plain = cluster([endpoint(1), endpoint(2, { health: "DRAINING" })]);
  await apply(plain);
  expect(applied.at(-1)!.clusters[0]).toBe(plain);
  await apply(cluster([endpoint(2)]));
  expect(endpoints()).toEqual(["2 HEALTHY"]);
});

describe("active checks", () => {
  test("keep new sessions from an endpoint until it has shown that it is well, and again when it is not", async () => {
    well.add(1);
    await apply(cluster([endpoint(1), endpoint(2)], { healthChecks }));
    expect(endpoints()).toEqual(["1 UNHEALTHY", "2 UNHEALTHY"]);
    await settle();
    expect(endpoints()).toEqual(["1 HEALTHY", "2 UNHEALTHY"]);
    well.clear();
    well.add(2);
    await clock.advance(1000);
    expect(endpoints()).toEqual(["1 UNHEALTHY", "2 HEALTHY"]);
    expect(keeper.checkedHealth("viewer", endpoint(1))).toEqual({
      isHealthy: false,
      lastFailure: "ECONNREFUSED",
    });
  });

  test("never make well what EDS calls unhealthy or draining", async () => {
    well.add(1).add(2);
    const eds = [endpoint(1, { health: "UNHEALTHY" }), endpoint(2, { health: "DRAINING" })];
    await apply(cluster(eds, { healthChecks }));
    await settle();
    expect(endpoints()).toEqual(["1 UNHEALTHY", "2 DRAINING"]);
  });

  test("go on where the cluster changes otherwise, and end with the endpoint", async () => {
    well.add(1).add(2);
    await apply(cluster([endpoint(1)], { healthChecks }));
    await settle();
    await apply(cluster([endpoint(1, { weight: 7 }), endpoint(2)], { healthChecks: [...healthChecks] }));
    expect(endpoints()).toEqual(["1 HEALTHY", "2 UNHEALTHY"]);
    await apply(cluster([endpoint(2)], { healthChecks }));
    asked = [];
    await clock.advance(3000);
    expect(new Set(asked)).toEqual(new Set([2]));
    await apply();
    asked = [];
    await clock.advance(3000);
    expect(asked).toEqual([]);
  });

  test("ask at the port that the endpoint or the check names, and not where they are switched off", async () => {
    const check = { address: "10.0.0.1", hostname: "", isDisabled: false };
    const named = [
      endpoint(1, { check: { ...check, port: 11 } }),
      endpoint(2, { check: { ...check, port: 12, isDisabled: true } }),
    ];
    await apply(cluster(named, { healthChecks }));
    await settle();
    expect(asked).toEqual([11]);
    expect(endpoints()).toEqual(["1 UNHEALTHY", "2 HEALTHY"]);
    asked = [];
    await apply(cluster([endpoint(1)], { healthChecks: [healthCheckPlan({ altPort: 99 })] }));
    await settle();
    expect(asked).toEqual([99]);
  });

  test("make no new plan while nothing changes", async () => {
    well.add(1);
    const other = cluster([endpoint(9)], { name: "other" });
    await apply(cluster([endpoint(1)], { healthChecks }), other);
    await settle();
    const plans = applied.length;
    await clock.advance(10_000);
    expect(applied).toHaveLength(plans);
    well.clear();
    await clock.advance(1000);
    expect(applied.at(-1)!.clusters[1]).toBe(other);
  });
});

test("errors of its sessions take an endpoint out within two sweeps, and it comes back when its time is up", async () => {
  const outliers = outlierPlan(3);
  errors.set("10.0.0.1 1", failing(0)).set("10.0.0.1 2", failing(0));
  await apply(cluster([endpoint(1), endpoint(2)], { outliers }));
  await clock.advance(100);
  errors.set("10.0.0.1 1", failing(3));
  await clock.advance(100);
  expect(endpoints()).toEqual(["1 UNHEALTHY", "2 HEALTHY"]);
  await clock.advance(1000);
  expect(endpoints()).toEqual(["1 HEALTHY", "2 HEALTHY"]);
});

test("loss of its streams, asked for once a second, takes an endpoint out, and is told in the statistics", async () => {
  const outliers = outlierPlan(0, { media: { lossPercent: 5, jitterMs: 30 } });
  errors.set("10.0.0.1 1", conduct({})).set("10.0.0.1 2", conduct({}));
  await apply(cluster([endpoint(1), endpoint(2)], { outliers }));
  for (const second of [1, 2, 3]) {
    const packets = second * 100;
    streams = [
      liveStream({ ssrc: 1, packets, lost: packets / 10, endpoint: "10.0.0.1:1" }),
      liveStream({ ssrc: 2, packets, lost: packets / 50, endpoint: "10.0.0.1:2" }),
    ];
    await clock.advance(1000);
    expect(endpoints()).toEqual(["1 HEALTHY", "2 HEALTHY"]);
  }
  await clock.advance(100);
  expect(endpoints()).toEqual(["1 UNHEALTHY", "2 HEALTHY"]);
  const ejections = keeper.samples().filter(({ name }) => name === "msm_cluster_ejections_total");
  expect(ejections).toMatchObject([{ labels: { cluster: "viewer", reason: "loss" }, value: 1 }]);
});

describe("an endpoint that is taken out", () => {
  const lingering = { drainLingerMs: 5000 };

  test("keeps its sessions while it lingers, and is gone then", async () => {
    await apply(cluster([endpoint(1), endpoint(2)], lingering));
    await apply(cluster([endpoint(2)], lingering));
    expect(endpoints()).toEqual(["2 HEALTHY", "1 LEFT"]);
    await clock.advance(4999);
    expect(endpoints()).toEqual(["2 HEALTHY", "1 LEFT"]);
    await clock.advance(1);
    expect(endpoints()).toEqual(["2 HEALTHY"]);
  });

  test("is back at once where it is put back", async () => {
    await apply(cluster([endpoint(1), endpoint(2)], lingering));
    await apply(cluster([endpoint(2)], lingering));
    await apply(cluster([endpoint(1), endpoint(2)], lingering));
    expect(endpoints()).toEqual(["1 HEALTHY", "2 HEALTHY"]);
    await clock.advance(10_000);
    expect(endpoints()).toEqual(["1 HEALTHY", "2 HEALTHY"]);
  });

  test("each has its own time", async () => {
    await apply(cluster([endpoint(1), endpoint(2), endpoint(3)], lingering));
    await apply(cluster([endpoint(2), endpoint(3)], lingering));
    await clock.advance(3000);
    await apply(cluster([endpoint(3)], lingering));
    expect(endpoints()).toEqual(["3 HEALTHY", "1 LEFT", "2 LEFT"]);
    await clock.advance(2000);
    expect(endpoints()).toEqual(["3 HEALTHY", "2 LEFT"]);
    await clock.advance(3000);
    expect(endpoints()).toEqual(["3 HEALTHY"]);
  });

  test("lingers with its whole cluster, too", async () => {
    await apply(cluster([endpoint(1)], lingering));
    await apply();
    expect(endpoints()).toEqual(["1 LEFT"]);
    const made = applied.at(-1)!.clusters[0];
    await apply(cluster([endpoint(9)], { name: "other" }));
    expect(applied.at(-1)!.clusters.find(({ name }) => name === "viewer")).toBe(made);
    await clock.advance(5000);
    expect(endpoints()).toBeUndefined();
  });
});

test("endpoints that DNS takes away linger as those that the configuration takes out", async () => {
  const addressed = (...addresses: readonly string[]) => Promise.resolve({ addresses, ttlMs: undefined });
  answers = () => addressed("10.0.0.1", "10.0.0.2");
  const dns: DnsPlan = {
    ...{ kind: "STRICT", family: "V4_ONLY", refreshMs: 1000, isTtlRespected: false, servers: [] },
    ...{ failureBaseMs: 1000, failureMaxMs: 1000, endpoints: [endpoint(1, { address: "cams.test" })] },
  };
  await apply(cluster([], { dns, drainLingerMs: 5000 }));
  expect(endpoints()).toEqual([]);
  await settle();
  expect(endpoints()).toEqual(["1 HEALTHY", "1 HEALTHY"]);
  answers = () => addressed("10.0.0.2");
  await clock.advance(1000);
  expect(endpoints()).toEqual(["1 HEALTHY", "1 LEFT"]);
  await clock.advance(5000);
  expect(endpoints()).toEqual(["1 HEALTHY"]);
});
