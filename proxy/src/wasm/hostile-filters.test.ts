// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { Action } from "../datapath/batch.ts";
import { FilterChain } from "./filter-chain.ts";
import { forEachDescriptor, type WatParts, watPlan } from "./testdata/wat-filter.ts";
import { MemoryBatch } from "./testing/memory-batch.ts";
import { MemoryEnvironment } from "./testing/memory-environment.ts";

const NOW_NS = 1_000_000_000;
const FOREVER = "(loop $for (br $for))";

/** Fuel ends a loop after some milliseconds; this is far above, for machines that have other work. */
const SOON_MS = 500;

/** Builds a FAIL_OPEN chain of one hostile filter, and says how long `use` took and what failed. */
async function suffer(
  parts: WatParts,
  use: (chain: FilterChain) => void,
): Promise<{ env: MemoryEnvironment; chain: FilterChain; ms: number }> {
  const env = new MemoryEnvironment();
  const plan = await watPlan(parts, { failurePolicy: "FAIL_OPEN" });
  const startedAt = performance.now();
  const chain = FilterChain.create([plan], env);
  use(chain);
  return { env, chain, ms: performance.now() - startedAt };
}

function runBatch(chain: FilterChain): MemoryBatch {
  const batch = new MemoryBatch();
  batch.stage([0, 1, 2].map((first) => ({ payload: Uint8Array.of(first, 1, 2, 3) })));
  chain.run(batch, 0, 3, false, NOW_NS);
  return batch;
}

const session = {
  index: 1,
  client: "192.0.2.1:1",
  endpoint: "192.0.2.2:2",
  local: "192.0.2.3:3",
  resumed: false,
};
const openSession = (chain: FilterChain): void => chain.openSession(session);
const closeSession = (chain: FilterChain): void => {
  chain.openSession(session);
  chain.closeSession(1);
};
const loopIn = (signature: string): WatParts => ({
  more: `(func (export ${signature} ${FOREVER} (unreachable))`,
});

const TICK_IMPORT =
  '(import "env" "proxy_set_tick_period_milliseconds" (func $tick (param i32) (result i32)))';
const tickingLoop: WatParts = {
  imports: TICK_IMPORT,
  onConfigure: "(drop (call $tick (i32.const 1))) (i32.const 1)",
  more: `(func (export "proxy_on_tick") (param i32) ${FOREVER})`,
};

test.each<[string, WatParts, (chain: FilterChain) => void]>([
  ["the datagrams", { onDatagrams: FOREVER }, runBatch],
  ["_initialize", loopIn('"_initialize")'), runBatch],
  ["proxy_on_vm_start", loopIn('"proxy_on_vm_start") (param i32 i32) (result i32)'), runBatch],
  ["proxy_on_configure", { onConfigure: `${FOREVER} (i32.const 1)` }, runBatch],
  ["msm_describe", loopIn('"msm_describe") (param i32 i32) (result i32)'), runBatch],
  ["the allocator", loopIn('"proxy_on_memory_allocate") (param i32) (result i32)'), runBatch],
  ["proxy_on_context_create", loopIn('"proxy_on_context_create") (param i32 i32)'), openSession],
  ["proxy_on_new_connection", loopIn('"proxy_on_new_connection") (param i32) (result i32)'), openSession],
  [
    "proxy_on_downstream_connection_close",
    loopIn('"proxy_on_downstream_connection_close") (param i32 i32)'),
    closeSession,
  ],
  ["proxy_on_done", loopIn('"proxy_on_done") (param i32) (result i32)'), closeSession],
  ["proxy_on_log", loopIn('"proxy_on_log") (param i32)'), closeSession],
  ["proxy_on_delete", loopIn('"proxy_on_delete") (param i32)'), closeSession],
  ["proxy_on_tick", tickingLoop, (chain) => [0, 5].map((ms) => chain.tick(ms))],
  ["msm_on_report", loopIn('"msm_on_report") (param i32)'), (chain) => chain.streams()],
])("a filter that loops for ever in %s is ended soon and bypassed", async (_, parts, use) => {
  const { env, chain, ms } = await suffer(parts, use);
  expect(env.value('msm_filter_failures_total{kind="overrun"}')).toBe(1);
  expect(ms).toBeLessThan(SOON_MS);
  expect([0, 1, 2].map((i) => runBatch(chain).action(i))).toEqual([0, 0, 0]);
});

test("a filter that loops for ever in its start section, before the host can reach it, is ended soon", async () => {
  const { env, ms } = await suffer({ more: `(func $forever ${FOREVER}) (start $forever)` }, runBatch);
  expect(env.value('msm_filter_failures_total{kind="start"}')).toBe(1);
  expect(ms).toBeLessThan(SOON_MS);
});

test("the loop of a built-in filter is not counted: its worker's watchdog stands behind it", async () => {
  const env = new MemoryEnvironment();
  const turns = `(local.set $i (i32.const 20000000))
    (loop $for (local.set $i (i32.sub (local.get $i) (i32.const 1))) (br_if $for (local.get $i)))`;
  const chain = FilterChain.create([await watPlan({ onDatagrams: turns }, {}, "builtin")], env);
  runBatch(chain);
  expect(chain.failed).toEqual([]);
});

test("a filter that wants all memory there is gets 16 MiB and an answer", async () => {
  const onDatagrams = `
    (loop $more (br_if $more (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0))))
    ${forEachDescriptor("(i32.store offset=40 (local.get $d) (memory.size))")}`;
  const required = `(memory (export "memory") 32)
    (func (export "proxy_abi_version_0_2_1")) (func (export "msm_abi_version_0_1_0"))`;
  const { chain } = await suffer({ onDatagrams, required }, () => {});
  expect(runBatch(chain).word(0, 10)).toBe(256);
});

test("a filter that recurses without end is bypassed", async () => {
  const more = "(func $deep (param i32) (result i32) (i32.add (call $deep (local.get 0)) (i32.const 1)))";
  const { env } = await suffer({ onDatagrams: "(drop (call $deep (i32.const 1)))", more }, runBatch);
  expect(
    env.value('msm_filter_failures_total{kind="trap"}') +
      env.value('msm_filter_failures_total{kind="overrun"}'),
  ).toBe(1);
});

test("a flood of host calls, also through a table, is ended", async () => {
  const imports = `(import "env" "proxy_get_current_time_nanoseconds" (func $now (param i32) (result i32)))`;
  const more = "(type $t (func (param i32) (result i32))) (table 1 1 funcref) (elem (i32.const 0) $now)";
  const onDatagrams = "(loop $for (drop (call_indirect (type $t) (i32.const 64) (i32.const 0))) (br $for))";
  const { env, ms } = await suffer({ imports, more, onDatagrams }, runBatch);
  expect(env.value('msm_filter_failures_total{kind="overrun"}')).toBe(1);
  expect(ms).toBeLessThan(SOON_MS);
});

test("a flood of log messages reaches nobody beyond the first twenty, each cut to a length that can be read", async () => {
  const imports = '(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))';
  const onDatagrams = `(local.set $i (i32.const 5000))
    (loop $for (drop (call $log (i32.const 4) (i32.const 0) (i32.const 100000)))
      (local.set $i (i32.sub (local.get $i) (i32.const 1))) (br_if $for (local.get $i)))`;
  const { env, chain } = await suffer({ imports, onDatagrams }, runBatch);
  expect(chain.failed).toEqual([]);
  expect(env.logs).toHaveLength(20);
  expect(env.logs[0]?.message).toHaveLength(4_096);
});

test("ten thousand metrics: the first 256 are there, the others are refused", async () => {
  const imports = '(import "env" "proxy_define_metric" (func $define (param i32 i32 i32 i32) (result i32)))';
  // Each name is the letter m and three letters that count up.
  const onConfigure = `(local $n i32) (local $refused i32)
    (i32.store8 (i32.const 64) (i32.const 109))
    (loop $for
      (i32.store8 (i32.const 65) (i32.add (i32.const 97) (i32.rem_u (local.get $n) (i32.const 26))))
      (i32.store8 (i32.const 66) (i32.add (i32.const 97) (i32.rem_u (i32.div_u (local.get $n) (i32.const 26)) (i32.const 26))))
      (i32.store8 (i32.const 67) (i32.add (i32.const 97) (i32.div_u (local.get $n) (i32.const 676))))
      (if (call $define (i32.const 0) (i32.const 64) (i32.const 4) (i32.const 16))
        (then (local.set $refused (i32.add (local.get $refused) (i32.const 1)))))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $for (i32.lt_u (local.get $n) (i32.const 10000))))
    (i32.eq (local.get $refused) (i32.const 9744))`;
  const { chain } = await suffer({ imports, onConfigure }, () => {});
  expect(chain.failed).toEqual([]);
});

test("a filter behind a hostile one, and its sessions, lose nothing", async () => {
  const env = new MemoryEnvironment();
  const mark = forEachDescriptor("(i32.store offset=40 (local.get $d) (i32.const 7))");
  const hostile = await watPlan(
    { onDatagrams: `${forEachDescriptor("(i32.store8 offset=24 (local.get $d) (i32.const 2))")} ${FOREVER}` },
    { name: "bad", failurePolicy: "FAIL_OPEN" },
  );
  const chain = FilterChain.create([hostile, await watPlan({ onDatagrams: mark }, { name: "good" })], env);
  for (let turn = 0; turn < 3; turn++) {
    const batch = runBatch(chain);
    expect([0, 1, 2].map((i) => [batch.action(i), batch.word(i, 10)])).toEqual(
      [0, 1, 2].map(() => [Action.Continue, 7]),
    );
  }
  expect(chain.failed).toEqual(["bad"]);
});
