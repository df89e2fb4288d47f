// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { Action } from "../datapath/batch.ts";
import { FilterChain } from "./filter-chain.ts";
import type { SessionInfo } from "./filter-environment.ts";
import { forEachDescriptor, type WatParts, watPlan } from "./testdata/wat-filter.ts";
import { MemoryBatch } from "./testing/memory-batch.ts";
import { MemoryEnvironment } from "./testing/memory-environment.ts";

const NS_PER_MS = 1_000_000;
const TRAP = 66;

/** Traps at a datagram that begins with 66; marks others with the number of sessions it was told of. */
const fragile: WatParts = {
  more: `(global $sessions (mut i32) (i32.const 0))
    (func (export "proxy_on_new_connection") (param i32) (result i32)
      (global.set $sessions (i32.add (global.get $sessions) (i32.const 1))) (i32.const 0))`,
  onDatagrams: forEachDescriptor(`
    (if (i32.eq (i32.load8_u (i32.load (local.get $d))) (i32.const ${TRAP})) (then (unreachable)))
    (i32.store offset=40 (local.get $d) (global.get $sessions))`),
};

const reload = { baseMs: 1_000, maxMs: 4_000 };
const session = (index: number): SessionInfo => ({
  index,
  client: "192.0.2.1:1",
  endpoint: "192.0.2.2:2",
  local: "192.0.2.3:3",
  resumed: false,
});

/** Runs one datagram at a time; returns whether it went on. */
function send(chain: FilterChain, firstByte: number, atMs: number): boolean {
  const batch = new MemoryBatch();
  batch.stage([{ payload: Uint8Array.of(firstByte) }]);
  chain.run(batch, 0, 1, false, atMs * NS_PER_MS);
  return batch.action(0) === Action.Continue;
}

test("a filter that broke is away until its wait is over, then it is back and knows the live sessions", async () => {
  const env = new MemoryEnvironment();
  const chain = FilterChain.create([await watPlan(fragile, { reload })], env);
  for (const index of [1, 2]) chain.openSession(session(index));
  expect(send(chain, TRAP, 10_000)).toBe(false);
  expect(send(chain, 1, 10_999)).toBe(false);
  expect(chain.failed).toEqual(["wat"]);
  const batch = new MemoryBatch();
  batch.stage([{ payload: Uint8Array.of(1) }]);
  chain.run(batch, 0, 1, false, 11_000 * NS_PER_MS);
  expect([batch.action(0), batch.word(0, 10)]).toEqual([Action.Continue, 2]);
  expect(env.value("msm_filter_reloads_total")).toBe(1);
  expect(env.logs.map((line) => line.message).join()).toContain("made anew in 1000 ms");
});

test("each wait is twice the one before, up to the limit, and a long life begins anew", async () => {
  const chain = FilterChain.create([await watPlan(fragile, { reload })], new MemoryEnvironment());
  let nowMs = 100_000;
  const waits: number[] = [];
  for (let turn = 0; turn < 4; turn++) {
    send(chain, TRAP, nowMs);
    let waitMs = 0;
    while (!send(chain, 1, nowMs + waitMs)) waitMs += 500;
    waits.push(waitMs);
    nowMs += waitMs;
  }
  nowMs += reload.maxMs + 1;
  send(chain, TRAP, nowMs);
  expect(waits).toEqual([1_000, 2_000, 4_000, 4_000]);
  expect([send(chain, 1, nowMs + 999), send(chain, 1, nowMs + 1_000)]).toEqual([false, true]);
});

test("a tick says when the filter is to be made anew, and does it without any datagram", async () => {
  const chain = FilterChain.create([await watPlan(fragile, { reload })], new MemoryEnvironment());
  send(chain, TRAP, 1_000);
  expect(chain.tick(1_000)).toBe(1_000);
  expect(chain.tick(2_000)).toBe(Number.POSITIVE_INFINITY);
  expect(chain.failed).toEqual([]);
});

test("under FAIL_OPEN with a reload, datagrams go on while the filter is away", async () => {
  const plan = await watPlan(fragile, { reload, failurePolicy: "FAIL_OPEN" });
  const chain = FilterChain.create([plan], new MemoryEnvironment());
  expect(send(chain, TRAP, 1_000)).toBe(true);
});

test("a filter that broke without a reload policy stays away", async () => {
  const chain = FilterChain.create([await watPlan(fragile)], new MemoryEnvironment());
  send(chain, TRAP, 1_000);
  expect(send(chain, 1, 1e9)).toBe(false);
});

test("two thousand reloads leave no memory behind", async () => {
  const plan = await watPlan(fragile, { reload: { baseMs: 1, maxMs: 1 } });
  const chain = FilterChain.create([plan], new MemoryEnvironment());
  // Each instance has 2 MiB: without giving them back, this would be 4 GiB.
  for (let turn = 0; turn < 2_000; turn++) send(chain, TRAP, turn * 10);
  expect(send(chain, 1, 1e6)).toBe(true);
  expect(process.memoryUsage().arrayBuffers).toBeLessThan(1.5e9);
});
