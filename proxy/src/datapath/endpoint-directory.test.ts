// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { type BalancingPlan, defaultBalancing } from "../cluster/balancing-plan.ts";
import { seededRandom } from "../cluster/testing/candidates.ts";
import type { EndpointPlan } from "../plan.ts";
import type { WorkerCluster } from "../worker/protocol.ts";
import { ClusterSlot, createCounterPage, EndpointSlot } from "./counters.ts";
import { EndpointDirectory } from "./endpoint-directory.ts";
import { readSockaddr } from "./sockaddr.ts";

const CLUSTER_COUNTERS = 100;

function cluster(
  endpoints: readonly Partial<EndpointPlan>[],
  balancing: Partial<BalancingPlan> = {},
): WorkerCluster {
  return {
    name: "viewer",
    counters: CLUSTER_COUNTERS,
    endpoints: endpoints.map((endpoint, index) => ({
      ...{ address: "10.0.0.1", port: 5000 + index, id: index + 1, counters: 10 * (index + 1) },
      ...endpoint,
    })),
    balancing: { ...defaultBalancing, ...balancing },
  };
}

class Clock {
  timeMs = 1000;
  readonly random = seededRandom(1);
  readonly nowMs = (): number => this.timeMs;
}

/** How often each endpoint, by its number less 1, is given to so many sessions. */
function picks(directory: EndpointDirectory, sessions: number, members: number): readonly number[] {
  const counts = new Array<number>(members).fill(0);
  for (let session = 0; session < sessions; session++) counts[directory.pick("viewer")!.id - 1]! += 1;
  return counts;
}

describe("an endpoint directory", () => {
  test("gives sessions by weight, and by the new weights once they change", () => {
    const directory = new EndpointDirectory(0, [], new Clock());
    directory.update([cluster([{ weight: 90 }, { weight: 10 }])], []);
    expect(picks(directory, 1000, 2)).toEqual([900, 100]);
    directory.update([cluster([{ weight: 50 }, { weight: 50 }])], []);
    expect(picks(directory, 1000, 2)).toEqual([500, 500]);
  });

  test("knows a draining endpoint for the sessions that it has, and gives it no others", () => {
    const directory = new EndpointDirectory(0);
    directory.update([cluster([{}, { health: "DRAINING" }])], []);
    expect(picks(directory, 10, 2)).toEqual([10, 0]);
    expect(readSockaddr(directory.endpoint(2)!.sockaddr, 0)).toEqual({ address: "10.0.0.1", port: 5001 });
    directory.update([cluster([{}])], []);
    expect(directory.endpoint(2)).toBeUndefined();
  });

  test("keeps a client at its endpoint under a hash policy, from any port and for any worker", () => {
    const policy = { policy: { kind: "MAGLEV", tableSize: 65_537 } } as const;
    const [one, other] = [new EndpointDirectory(0), new EndpointDirectory(1)];
    for (const directory of [one, other]) directory.update([cluster([{}, {}, {}, {}], policy)], []);
    const chosen = new Set<number>();
    for (let n = 0; n < 100; n++) {
      const picked = one.pick("viewer", { kind: "SOURCE_IP" }, `192.168.0.${n}`)!.id;
      expect(other.pick("viewer", { kind: "SOURCE_IP" }, `192.168.0.${n}`)!.id).toBe(picked);
      chosen.add(picked);
    }
    expect(chosen.size).toBe(4);
    const byKey = Array.from(
      { length: 10 },
      (_, n) => one.pick("viewer", { kind: "KEY", key: "room" }, `192.168.0.${n}`)!.id,
    );
    expect(new Set(byKey).size).toBe(1);
  });

  test("sends to the endpoint with the fewest sessions over all workers", () => {
    const pages = [createCounterPage(), createCounterPage()];
    pages[0]![10 + EndpointSlot.sessionsActive] = 3;
    pages[1]![20 + EndpointSlot.sessionsActive] = 5;
    const policy = {
      kind: "LEAST_REQUEST",
      choiceCount: 20,
      activeRequestBias: 1,
      slowStart: undefined,
    } as const;
    const directory = new EndpointDirectory(0, pages, new Clock());
    directory.update([cluster([{}, {}], { policy })], []);
    expect(picks(directory, 100, 2)).toEqual([100, 0]);
  });

  test("refuses sessions beyond the limit, counted over all workers", () => {
    const pages = [createCounterPage(), createCounterPage()];
    const directory = new EndpointDirectory(0, pages);
    directory.update([cluster([{}], { maxSessions: 3 })], []);
    pages[0]![CLUSTER_COUNTERS + ClusterSlot.sessionsActive] = 1;
    pages[1]![CLUSTER_COUNTERS + ClusterSlot.sessionsActive] = 1;
    expect(directory.isFull("viewer")).toBe(false);
    expect(directory.pick("viewer")).toBeDefined();
    pages[1]![CLUSTER_COUNTERS + ClusterSlot.sessionsActive] = 2;
    expect(directory.isFull("viewer")).toBe(true);
    expect(directory.pick("viewer")).toBeUndefined();
  });

  test("lets sessions stay at an endpoint that failed only while there is none that is better", () => {
    const directory = new EndpointDirectory(0);
    directory.update([cluster([{ health: "UNHEALTHY" }, {}])], []);
    expect(directory.keeps(1)).toBe(false);
    directory.update([cluster([{ health: "UNHEALTHY" }, { health: "DRAINING" }])], []);
    expect([directory.keeps(1), directory.keeps(2), directory.keeps(3)]).toEqual([true, true, false]);
    directory.update([cluster([{ health: "LEFT" }, {}])], []);
    expect(directory.keeps(1)).toBe(true);
  });

  test("starts an endpoint slowly when it comes, and when it is well again", () => {
    const clock = new Clock();
    const slowStart = { windowMs: 10_000, aggression: 1, leastFactor: 0.1 };
    const policy = { policy: { kind: "ROUND_ROBIN", slowStart } } as const;
    const directory = new EndpointDirectory(0, [], clock);
    directory.update([cluster([{}], policy)], []);
    clock.timeMs += 20_000;
    directory.update([cluster([{}, {}], policy)], []);
    expect(picks(directory, 1100, 2)[1]).toBeCloseTo(100, -1);
    clock.timeMs += 20_000;
    expect(picks(directory, 1000, 2)[1]).toBeCloseTo(500, -1);
    directory.update([cluster([{}, { health: "UNHEALTHY" }], policy)], []);
    directory.update([cluster([{}, {}], policy)], []);
    expect(picks(directory, 1100, 2)[1]).toBeCloseTo(100, -1);
  });

  test("knows nothing of a cluster that was removed", () => {
    const directory = new EndpointDirectory(0);
    directory.update([cluster([{}])], []);
    directory.update([], ["viewer"]);
    expect(directory.has("viewer")).toBe(false);
    expect(directory.pick("viewer")).toBeUndefined();
    expect(directory.endpoint(1)).toBeUndefined();
  });
});
