// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ClusterPlan } from "../../plan.ts";
import { ManualClock, settle } from "../testing/manual-clock.ts";
import { DnsDiscovery } from "./dns-discovery.ts";
import type { DnsPlan } from "./dns-plan.ts";
import type { DnsAnswer } from "./lookup-name.ts";

let clock: ManualClock;
/** What DNS says of each name; it fails for others. */
let zone: Map<string, DnsAnswer>;
let asked: string[];
let changes: number;
let discovery: DnsDiscovery;

beforeEach(() => {
  clock = new ManualClock();
  clock.random = () => 1;
  zone = new Map();
  asked = [];
  changes = 0;
  discovery = new DnsDiscovery({
    lookup: (name) => {
      asked.push(name);
      const answer = zone.get(name);
      return answer === undefined ? Promise.reject(new Error("ESERVFAIL")) : Promise.resolve(answer);
    },
    world: clock,
    onChange: () => changes++,
  });
});

afterEach(() => discovery.stop());

const has = (...addresses: readonly string[]): DnsAnswer => ({ addresses, ttlMs: undefined });

function cluster(changes: Partial<DnsPlan> = {}): ClusterPlan {
  const dns: DnsPlan = {
    ...{ kind: "STRICT", family: "V4_ONLY", refreshMs: 5000, isTtlRespected: false, servers: [] },
    ...{ failureBaseMs: 1000, failureMaxMs: 4000, endpoints: [{ address: "cams.test", port: 5004 }] },
    ...changes,
  };
  return { name: "cams", endpoints: [], dns };
}

async function follow(plan: ClusterPlan): Promise<void> {
  discovery.follow([plan]);
  await settle();
}

const addresses = (plan: ClusterPlan) => discovery.resolve(plan).endpoints.map(({ address }) => address);

describe("STRICT", () => {
  test("takes every address of a name, and follows it", async () => {
    zone.set("cams.test", has("10.0.0.2", "10.0.0.1"));
    const plan = cluster();
    await follow(plan);
    expect(discovery.resolve(plan).endpoints).toEqual([
      { address: "10.0.0.1", port: 5004, hostname: "cams.test" },
      { address: "10.0.0.2", port: 5004, hostname: "cams.test" },
    ]);
    zone.set("cams.test", has("10.0.0.3"));
    await clock.advance(4999);
    expect(addresses(plan)).toEqual(["10.0.0.1", "10.0.0.2"]);
    await clock.advance(1);
    expect(addresses(plan)).toEqual(["10.0.0.3"]);
    expect(changes).toBe(2);
  });

  test("changes nothing where the same addresses come in another order", async () => {
    zone.set("cams.test", has("10.0.0.1", "10.0.0.2"));
    const plan = cluster();
    await follow(plan);
    const made = discovery.resolve(plan);
    zone.set("cams.test", has("10.0.0.2", "10.0.0.1"));
    await clock.advance(5000);
    expect(discovery.resolve(plan)).toBe(made);
    expect(changes).toBe(1);
  });

  test("keeps the last answer while nobody answers, and asks less and less often", async () => {
    zone.set("cams.test", has("10.0.0.1"));
    const plan = cluster();
    await follow(plan);
    zone.clear();
    await clock.advance(5000);
    expect(asked).toHaveLength(2);
    for (const pauseMs of [1000, 2000, 4000, 4000]) {
      const before = asked.length;
      await clock.advance(pauseMs - 1);
      expect(asked).toHaveLength(before);
      await clock.advance(1);
      expect(asked).toHaveLength(before + 1);
    }
    expect(addresses(plan)).toEqual(["10.0.0.1"]);
    zone.set("cams.test", has("10.0.0.2"));
    await clock.advance(4000);
    expect(addresses(plan)).toEqual(["10.0.0.2"]);
  });

  test("takes an answer without addresses for what it is: nobody is there", async () => {
    zone.set("cams.test", has("10.0.0.1"));
    const plan = cluster();
    await follow(plan);
    zone.set("cams.test", has());
    await clock.advance(5000);
    expect(addresses(plan)).toEqual([]);
  });

  test("waits as long as the answer is good, but never less than a second, where that is respected", async () => {
    zone.set("cams.test", { addresses: ["10.0.0.1"], ttlMs: 60_000 });
    await follow(cluster({ isTtlRespected: true }));
    await clock.advance(59_999);
    expect(asked).toHaveLength(1);
    zone.set("cams.test", { addresses: ["10.0.0.1"], ttlMs: 0 });
    await clock.advance(1);
    expect(asked).toHaveLength(2);
    await clock.advance(3000);
    expect(asked).toHaveLength(5);
  });

  test("has an address once, also where two names have it, and gives each its own port", async () => {
    zone.set("a.test", has("10.0.0.1")).set("b.test", has("10.0.0.1"));
    const plan = cluster({
      endpoints: [
        { address: "a.test", port: 1, weight: 3 },
        { address: "b.test", port: 1 },
        { address: "b.test", port: 2 },
      ],
    });
    await follow(plan);
    const found = discovery.resolve(plan).endpoints;
    expect(found.map(({ address, port, weight }) => [address, port, weight])).toEqual([
      ["10.0.0.1", 1, 3],
      ["10.0.0.1", 2, undefined],
    ]);
    expect(asked).toEqual(["a.test", "b.test"]);
  });

  test("checks an endpoint at the address that was found, by the name that it has", async () => {
    zone.set("cams.test", has("10.0.0.1"));
    const check = { address: "cams.test", port: 80, hostname: "cams.test", isDisabled: false };
    const plan = cluster({ endpoints: [{ address: "cams.test", port: 5004, check }] });
    await follow(plan);
    expect(discovery.resolve(plan).endpoints[0]?.check).toEqual({ ...check, address: "10.0.0.1" });
  });
});

test("an address among the names is an endpoint at once, and nobody is asked", () => {
  const plan = cluster({ endpoints: [{ address: "192.0.2.1", port: 1 }] });
  discovery.follow([plan]);
  expect(addresses(plan)).toEqual(["192.0.2.1"]);
  expect(asked).toEqual([]);
});

test("LOGICAL takes one address and stays with it as long as the name has it", async () => {
  zone.set("cams.test", has("10.0.0.2", "10.0.0.1"));
  const plan = cluster({ kind: "LOGICAL" });
  await follow(plan);
  expect(addresses(plan)).toEqual(["10.0.0.2"]);
  zone.set("cams.test", has("10.0.0.1", "10.0.0.2"));
  await clock.advance(5000);
  expect(addresses(plan)).toEqual(["10.0.0.2"]);
  zone.set("cams.test", has("10.0.0.3", "10.0.0.1"));
  await clock.advance(5000);
  expect(addresses(plan)).toEqual(["10.0.0.3"]);
  zone.set("cams.test", has());
  await clock.advance(5000);
  expect(addresses(plan)).toEqual(["10.0.0.3"]);
});

test("a name that stays keeps its addresses while its cluster changes, and one that goes is asked no more", async () => {
  zone.set("cams.test", has("10.0.0.1")).set("more.test", has("10.0.0.9"));
  await follow(cluster());
  zone.clear();
  const changed = cluster({
    refreshMs: 1000,
    endpoints: [
      { address: "cams.test", port: 5004 },
      { address: "more.test", port: 5004 },
    ],
  });
  await follow(changed);
  expect(addresses(changed)).toEqual(["10.0.0.1"]);
  discovery.follow([]);
  const before = asked.length;
  await clock.advance(60_000);
  expect(asked).toHaveLength(before);
});

test("lookups are counted by Envoy's names, also those of names that went", async () => {
  zone.set("cams.test", has("10.0.0.1"));
  await follow(cluster());
  await follow(cluster({ endpoints: [{ address: "away.test", port: 1 }] }));
  const counts = discovery.samples().map(({ dottedName, value }) => `${dottedName} ${value}`);
  expect(counts).toEqual([
    "cluster.cams.update_attempt 2",
    "cluster.cams.update_success 1",
    "cluster.cams.update_empty 0",
    "cluster.cams.update_failure 1",
  ]);
});
