// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { FilterChain } from "./filter-chain.ts";
import { type WatParts, watPlan } from "./testdata/wat-filter.ts";
import { MemoryBatch } from "./testing/memory-batch.ts";
import { MemoryEnvironment } from "./testing/memory-environment.ts";
import { takeOutgoing } from "./testing/take-outgoing.ts";

const SET_TIMER = '(import "env" "msm_set_timer" (func $timer (param i32 i32 i64 i64) (result i32)))';
const LOG = '(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))';

const LOG_ID = "(drop (call $log (i32.const 4) (i32.add (i32.const 64) (local.get $id)) (i32.const 1)))";

/** Sets timers when it is configured, and logs a letter per timer: "a" for timer 0 and so on. */
const alarm = (sets: string, onTimer = LOG_ID): WatParts => ({
  imports: `${SET_TIMER} ${LOG}`,
  onConfigure: `${sets} (i32.const 1)`,
  more: `(data (i32.const 64) "abcdefgh")
    (func (export "msm_describe") (param $out i32) (param i32) (result i32)
      (i32.store offset=16 (local.get $out) (i32.const 2)) (i32.const 0))
    (func (export "msm_on_timer") (param $context i32) (param $id i32) (param $batch i32) (local $e i32) ${onTimer})`,
});

const set = (id: number, delayUs: number, periodUs = 0, context = 1): string =>
  `(drop (call $timer (i32.const ${context}) (i32.const ${id}) (i64.const ${delayUs}) (i64.const ${periodUs})))`;

async function start(parts: WatParts): Promise<{ chain: FilterChain; fired: () => string }> {
  const env = new MemoryEnvironment();
  const chain = FilterChain.create([await watPlan(parts)], env);
  return { chain, fired: () => env.logs.map((line) => line.message).join("") };
}

test("timers fire in the order of their times, each once, and a period comes again", async () => {
  const { chain, fired } = await start(alarm(set(0, 30_000) + set(1, 10_000) + set(2, 15_000, 15_000)));
  // The test's clock shows one second when the filter is configured.
  expect(chain.nextMs).toBe(1_010);
  expect(chain.tick(1_000)).toBeCloseTo(10);
  for (const ms of [1_009, 1_010, 1_015, 1_030, 1_045]) chain.tick(ms);
  expect(fired()).toBe("bcacc");
});

test("a timer set anew moves, and one with a delay below zero is gone", async () => {
  const { chain, fired } = await start(alarm(set(0, 10_000) + set(0, 20_000) + set(1, 10_000) + set(1, -1)));
  chain.tick(1_019);
  expect(fired()).toBe("");
  chain.tick(1_020);
  expect(fired()).toBe("a");
});

test("times that a period missed are not made up for, and none is shorter than a millisecond", async () => {
  const { chain, fired } = await start(alarm(set(0, 1, 1)));
  chain.tick(1_500);
  expect(fired()).toBe("a");
  expect(chain.tick(1_500.5)).toBeCloseTo(0.5);
});

test("a timer emits datagrams into a session", async () => {
  const emit = `(local.set $e (i32.load offset=16 (local.get $batch)))
    (i32.store8 (i32.load (local.get $e)) (i32.const 42)) (i32.store16 offset=4 (local.get $e) (i32.const 1))
    (i32.store offset=8 (local.get $e) (i32.const 3)) (i32.store offset=48 (local.get $batch) (i32.const 1))`;
  const { chain } = await start(alarm(set(0, 5_000), emit));
  chain.openSession({ index: 1, client: "", endpoint: "", local: "", resumed: false });
  chain.tick(1_005);
  expect(takeOutgoing(chain)).toMatchObject([{ payload: Uint8Array.of(42), session: 1, toClient: false }]);
});

test("a session's timers end with it", async () => {
  const onSession = `(func (export "proxy_on_new_connection") (param $context i32) (result i32)
    (drop (call $timer (local.get $context) (i32.const 3) (i64.const 1000) (i64.const 0))) (i32.const 0))`;
  const parts = alarm("");
  const { chain, fired } = await start({ ...parts, more: `${parts.more} ${onSession}` });
  for (const index of [1, 2])
    chain.openSession({ index, client: "", endpoint: "", local: "", resumed: false });
  chain.closeSession(1);
  chain.tick(1_010);
  expect(fired()).toBe("d");
});

test("no more than 1,024 timers, no ids that are too large, and none for sessions that there are not", async () => {
  const onConfigure = `(local $i i32)
    (block $full (loop $more
      (br_if $full (call $timer (i32.const 1) (local.get $i) (i64.const 1000000) (i64.const 0)))
      (local.set $i (i32.add (local.get $i) (i32.const 1))) (br $more)))
    (i32.and (i32.eq (local.get $i) (i32.const 1024))
      (i32.and (i32.eq (call $timer (i32.const 1) (i32.const 65536) (i64.const 1) (i64.const 0)) (i32.const 2))
        (i32.eq (call $timer (i32.const 9) (i32.const 0) (i64.const 1) (i64.const 0)) (i32.const 1))))`;
  const { chain } = await start({ imports: SET_TIMER, onConfigure });
  const batch = new MemoryBatch();
  batch.stage([{ payload: Uint8Array.of(1) }]);
  chain.run(batch, 0, 1, false, 1e9);
  expect(chain.failed).toEqual([]);
});
