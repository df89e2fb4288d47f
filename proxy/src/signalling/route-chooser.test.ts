// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { beforeEach, expect, test } from "vitest";
import { createCounterPage } from "../datapath/counters.ts";
import { EndpointDirectory } from "../datapath/endpoint-directory.ts";
import { RouteTable } from "../routes/route-table.ts";
import type { SignallingCluster } from "./protocol.ts";
import { RouteChooser } from "./route-chooser.ts";
import type { RouteChoice } from "./signalling-world.ts";

const CLUSTER = 0;
const [ONE, TWO] = [8, 11];
const ERRORS = 2;
const request = { host: "h", path: "/x", method: "SETUP", headers: {}, source: "192.0.2.1:4000" };
const action = { kind: "forward", pathRewrite: undefined, hostRewrite: undefined, hashes: [] } as const;
const path = { kind: "prefix", value: "/", isCaseSensitive: true } as const;
const table = new RouteTable({
  name: "edge",
  hosts: [
    {
      name: "all",
      domains: ["*"],
      routes: [
        {
          ...{ name: "r", path, headers: [], fraction: 1 },
          action: { ...action, clusters: [{ name: "cams", weight: 1 }] },
        },
      ],
    },
  ],
});

const cluster: SignallingCluster = {
  ...{ name: "cams", counters: CLUSTER, connectTimeoutMs: 700, failuresToTell: 3 },
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

test("failures of an endpoint are told all at once when they are enough in a row", () => {
  const choice = select();
  const errors = () => counters[ONE + ERRORS]! + counters[TWO + ERRORS]!;
  for (const code of [0, 503, 200, 500, 404, 0, 0, 454]) chooser.report(choice, code);
  expect(errors()).toBe(0);
  for (const code of [0, 599, 500]) chooser.report(choice, code);
  expect(errors()).toBe(3);
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
  expect([counters[ONE + 1], counters[TWO + 1], counters[ONE + ERRORS]]).toEqual([0, 0, 0]);
});
