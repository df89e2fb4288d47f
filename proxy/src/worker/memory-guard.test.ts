// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createSocket } from "node:dgram";
import { FlowEvent_Kind } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { afterEach, expect, test, vi } from "vitest";
import { FlowBed, PATIENCE } from "../flow/testing/flow-bed.ts";
import { MemoryGuard } from "./memory-guard.ts";

let bed: FlowBed | undefined;
afterEach(async () => {
  const last = bed;
  bed = undefined;
  await last?.stop();
});

test("a process is short of memory while it has more than it may", () => {
  let resident = 100;
  const guard = new MemoryGuard(100, () => resident);
  const look = (bytes: number): boolean => {
    resident = bytes;
    guard.look();
    return guard.isShort;
  };
  expect([100, 101, 99].map(look)).toEqual([false, true, false]);
  const unlimited = new MemoryGuard(undefined, () => 2 ** 50);
  unlimited.look();
  expect(unlimited.isShort).toBe(false);
});

test("beyond its memory a proxy refuses sessions and flows, and counts them", async () => {
  bed = await FlowBed.start("auto", { memoryLimitBytes: 1 });
  const { pool } = bed;
  await pool.apply({
    listeners: [
      {
        ...{ name: "edge", statPrefix: "edge", cluster: "one", filters: [], preferGro: false },
        ...{ address: { address: "127.0.0.1", port: 0 }, idleTimeoutMs: 60_000, maxRxDatagramBytes: 1500 },
      },
    ],
    clusters: [{ name: "one", endpoints: [{ address: "127.0.0.1", port: 9 }] }],
  });
  const client = createSocket("udp4");
  bed.onStop(() => client.close());
  const sampleOf = (name: string, label: string): unknown =>
    pool.samples().find((sample) => sample.name === name && Object.values(sample.labels).includes(label))
      ?.value;
  // The memory is looked at twice in a second.
  const leg = { id: "in", udp: { local: { ip: "127.0.0.1" }, rtcp: "MUX" } };
  await vi.waitFor(async () => {
    const refused = await bed!.put({ id: "f", sources: [leg] });
    await bed!.close("f");
    expect(refused).toMatchObject({ kind: FlowEvent_Kind.FAILED, code: "MSM_FLOW_MEMORY" });
  }, PATIENCE);
  expect(sampleOf("msm_flow_refused_total", "MSM_FLOW_MEMORY")).toBe(1);
  client.send("hello", pool.listeners()[0]!.localAddress.port, "127.0.0.1");
  await vi.waitFor(() => expect(sampleOf("msm_datagrams_dropped_total", "memory_limit")).toBe(1), PATIENCE);
});
