// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { FilterChain } from "./filter-chain.ts";
import { forEachDescriptor, type WatParts, watPlan } from "./testdata/wat-filter.ts";
import { MemoryBatch } from "./testing/memory-batch.ts";
import { MemoryEnvironment } from "./testing/memory-environment.ts";

/** Marks datagrams with what `proxy_log` and `random_get` answered, and counts ticks in `user`. */
const curious: WatParts = {
  imports: `(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
    (import "env" "proxy_set_tick_period_milliseconds" (func $period (param i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))`,
  onConfigure: "(drop (call $period (i32.const 1))) (i32.const 1)",
  more: `(global $ticks (mut i64) (i64.const 0))
    (func (export "proxy_on_tick") (param i32) (global.set $ticks (i64.add (global.get $ticks) (i64.const 1))))`,
  onDatagrams: forEachDescriptor(`
    (i64.store offset=48 (local.get $d) (global.get $ticks))
    (i32.store offset=40 (local.get $d) (i32.add (call $random (i32.const 64) (i32.const 8))
      (i32.mul (i32.const 1000) (call $log (i32.const 4) (i32.const 0) (i32.const 1)))))`),
};

async function answersWith(
  capabilities: readonly string[],
): Promise<{ mark: number; ticks: number; logs: number }> {
  const env = new MemoryEnvironment();
  const chain = FilterChain.create([await watPlan(curious, { capabilities })], env);
  for (const ms of [0, 1, 2]) chain.tick(ms);
  const batch = new MemoryBatch();
  batch.stage([{ payload: Uint8Array.of(0) }]);
  chain.run(batch, 0, 1, false, 1e9);
  return { mark: batch.word(0, 10), ticks: batch.word(0, 12), logs: env.logs.length };
}

test("without a restriction everything is allowed", async () => {
  expect(await answersWith([])).toEqual({ mark: 0, ticks: 2, logs: 1 });
});

test("what is not named answers that it is not allowed, and callbacks are not called", async () => {
  const capabilities = ["msm_on_datagrams", "proxy_on_configure"];
  expect(await answersWith(capabilities)).toEqual({ mark: 10_076, ticks: 0, logs: 0 });
});

test("what is named works", async () => {
  const capabilities = ["msm_on_datagrams", "proxy_on_configure", "proxy_log", "random_get"];
  expect(await answersWith(capabilities)).toEqual({ mark: 0, ticks: 0, logs: 1 });
});

test("a filter that may not be called with datagrams lets them pass", async () => {
  expect(await answersWith(["proxy_log"])).toEqual({ mark: 0, ticks: 0, logs: 0 });
});
