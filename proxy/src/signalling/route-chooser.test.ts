// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { beforeEach, expect, test } from "vitest";
import { defaultBalancing } from "../cluster/balancing-plan.ts";
import { type SubsetPlan, subsetMatch } from "../cluster/subset-plan.ts";
import { outlierPlan } from "../cluster/testing/outliers.ts";
import { ClusterSlot, createCounterPage, ENDPOINT_SLOTS, EndpointSlot } from "../datapath/counters.ts";
import { EndpointDirectory } from "../datapath/endpoint-directory.ts";
import type { WeightedCluster } from "../routes/route-plan.ts";
import { RouteTable } from "../routes/route-table.ts";
import type { WorkerEndpoint } from "../worker/protocol.ts";
import type { SignallingCluster } from "./protocol.ts";
import { RouteChooser } from "./route-chooser.ts";
import type { RouteChoice } from "./signalling-world.ts";

const CLUSTER = 0;
const [ONE, TWO] = [16, 32];
const request = { host: "h", path: "/x", method: "SETUP", headers: {}, source: "192.0.2.1:4000" };
const action = { kind: "forward", pathRewrite: undefined, hostRewrite: undefined, hashes: [] } as const;
const path = { kind: "prefix", value: "/", isCaseSensitive: true } as const;

const tableOf = (clusters: readonly WeightedCluster[]): RouteTable => {
  const route = { ...{ name: "r", path, headers: [], fraction: 1 }, action: { ...action, clusters } };
  return new RouteTable({ name: "edge", hosts: [{ name: "all", domains: ["*"], routes: [route] }] });
};
const table = tableOf([{ name: "cams", weight: 1 }]);

const cluster: SignallingCluster = {
  ...{ name: "cams", counters: CLUSTER, connectTimeoutMs: 700 },
  consecutive: outlierPlan(3).consecutive,
  endpoints: [
    { id: 1, counters: ONE, address: "192.0.2.8", port: 554 },
    { id: 2, counters: TWO, address: "2001:db8::8", port: 8554 },
  ],
};

let counters: Float64Array;
let chooser: RouteChooser;

beforeEach(() => {
  counters = createCounterPage();
  chooser = new RouteChooser(new EndpointDirectory(0, [counters]), counters);
  chooser.update([cluster], []);
});

const select = (): RouteChoice => chooser.select(table, request);

test("sessions go to endpoints in turn, and count until they are released", () => {
  const choices = [select(), select()];
  expect(choices.map(({ endpoint }) => endpoint).sort()).toEqual(["192.0.2.8:554", "[2001:db8::8]:8554"]);
  expect([counters[CLUSTER + 1], counters[ONE + 1], counters[TWO + 1]]).toEqual([2, 1, 1]);
  for (const choice of choices) chooser.release(choice);
  expect([counters[CLUSTER + 1], counters[ONE + 1], counters[TWO + 1], counters[ONE]]).toEqual([0, 0, 0, 1]);
  expect(chooser.destination(choices[0]!)).toMatchObject({ connectTimeoutMs: 700 });
});

test("results are counted by kind, and those that fail in a row are told as a verdict when they are enough", () => {
  const choice = select();
  const slots = choice.endpoint.startsWith("[") ? TWO : ONE;
  const counts = () => {
    const { successes, serverErrors, connectFailures, verdicts } = EndpointSlot;
    return [successes, serverErrors, connectFailures, verdicts].map((slot) => counters[slots + slot]);
  };
  for (const code of [0, 503, 200, 500, 404, 0, 0, 454]) chooser.report(choice, code);
  expect(counts()).toEqual([3, 2, 3, 0]);
  for (const code of [0, 599, 500]) chooser.report(choice, code);
  expect(counts()).toEqual([3, 4, 4, 1]);
});

test("a route that asks for a subset gets an endpoint of it", () => {
  const subsets: SubsetPlan = {
    ...{ fallback: "NO_FALLBACK", defaultSubset: {} },
    selectors: [{ keys: ["site"], fallback: undefined }],
  };
  const [one, two] = cluster.endpoints as [WorkerEndpoint, WorkerEndpoint];
  const endpoints = [
    { ...one, metadata: { site: '"oslo"' } },
    { ...two, metadata: { site: '"paris"' } },
  ];
  chooser.update([{ ...cluster, endpoints, balancing: { ...defaultBalancing, subsets } }], []);
  const asking = (site: string) => {
    const subset = subsetMatch({ site: JSON.stringify(site) });
    return chooser.select(tableOf([{ name: "cams", weight: 1, ...(subset && { subset }) }]), request);
  };
  expect(["paris", "paris", "oslo"].map((site) => asking(site).endpoint)).toEqual([
    "[2001:db8::8]:8554",
    "[2001:db8::8]:8554",
    "192.0.2.8:554",
  ]);
  expect(asking("rome").status).toBe(503);
});

test("while as many connections are being made as the cluster allows, requests are refused and counted", () => {
  chooser.update([{ ...cluster, balancing: { ...defaultBalancing, maxPending: 2 } }], []);
  const settled = [chooser.connecting("cams"), chooser.connecting("cams")];
  expect(select()).toMatchObject({
    ...{ status: 503, endpoint: "" },
    reason: "cluster cams has as many connections under way as it may have",
  });
  expect(counters[CLUSTER + ClusterSlot.pendingOverflow]).toBe(1);
  settled[0]?.();
  settled[0]?.();
  expect(counters[CLUSTER + ClusterSlot.pendingActive]).toBe(1);
  expect(select().status).toBe(200);
});

test("where nobody takes the session the answer is 503 and says why", () => {
  chooser.update([{ ...cluster, endpoints: [] }], []);
  expect(select()).toMatchObject({ status: 503, reason: "cluster cams has no endpoint that takes sessions" });
  chooser.update([], ["cams"]);
  expect(select()).toMatchObject({ status: 503, reason: "cluster cams is not known" });
  expect(chooser.pickDestination("cams")).toBeUndefined();
});

test("a session that ends after its endpoint is gone counts nowhere", () => {
  const choice = select();
  chooser.update([{ ...cluster, endpoints: [] }], []);
  counters.fill(0);
  chooser.release(choice);
  chooser.report(choice, 0);
  expect(counters.subarray(ONE, TWO + ENDPOINT_SLOTS).every((count) => count === 0)).toBe(true);
});
