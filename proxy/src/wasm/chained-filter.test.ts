// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { Action, Word } from "../datapath/batch.ts";
import type { FailurePolicy } from "../plan.ts";
import { REASON_FILTER_FAILED } from "./abi.ts";
import { FilterChain } from "./filter-chain.ts";
import { describeAs, forEachDescriptor, type WatParts, watPlan } from "./testdata/wat-filter.ts";
import { MemoryBatch } from "./testing/memory-batch.ts";
import { MemoryEnvironment } from "./testing/memory-environment.ts";

const NOW_NS = 1_000_000_000;

interface Outcome {
  readonly env: MemoryEnvironment;
  readonly chain: FilterChain;
  readonly batch: MemoryBatch;
}

/** Runs three datagrams of four bytes, {0,1,2,3}, {1,1,2,3} and {2,1,2,3}. */
async function runOnce(parts: WatParts, failurePolicy: FailurePolicy): Promise<Outcome> {
  // A worker that sends only what is in its ring.
  const env = new MemoryEnvironment("test", false);
  const chain = FilterChain.create([await watPlan(parts, { failurePolicy })], env);
  const batch = new MemoryBatch();
  batch.stage([0, 1, 2].map((first) => ({ payload: Uint8Array.of(first, 1, 2, 3) })));
  chain.run(batch, 0, 3, false, NOW_NS);
  return { env, chain, batch };
}

const failures = (env: MemoryEnvironment, kind: string): number =>
  env.value(`msm_filter_failures_total{kind="${kind}"}`);

const SCRIBBLE = forEachDescriptor(`(i32.store (i32.load (local.get $d)) (i32.const -1))
  (i32.store16 offset=12 (local.get $d) (i32.const 0x100)) (i32.store8 offset=24 (local.get $d) (i32.const 2))`);

test("drops a listener's datagrams when a FAIL_CLOSED filter traps, and goes on dropping", async () => {
  const { env, chain, batch } = await runOnce({ onDatagrams: "(unreachable)" }, "FAIL_CLOSED");
  expect([0, 1, 2].map((i) => [batch.action(i), batch.reason(i)])).toEqual(
    [0, 1, 2].map(() => [Action.Drop, REASON_FILTER_FAILED]),
  );
  batch.stage([{ payload: Uint8Array.of(9) }]);
  chain.run(batch, 0, 1, false, NOW_NS);
  expect(batch.action(0)).toBe(Action.Drop);
  expect(env.value('msm_filter_dropped_total{reason="filter_failed"}')).toBe(4);
  expect(failures(env, "trap")).toBe(1);
  expect(chain.failed).toEqual(["wat"]);
});

test("sends datagrams on as they came when a FAIL_OPEN filter scribbled over them and traps", async () => {
  const { env, chain, batch } = await runOnce({ onDatagrams: `${SCRIBBLE} (unreachable)` }, "FAIL_OPEN");
  expect([0, 1, 2].map((i) => batch.action(i))).toEqual([0, 0, 0]);
  expect(batch.payload(1)).toEqual(Uint8Array.of(1, 1, 2, 3));
  expect(env.logs.map((line) => line.message).join()).toContain("bypassed");
  chain.run(batch, 0, 3, false, NOW_NS);
  expect(failures(env, "trap")).toBe(1);
});

test("keeps the parts of a batch that a FAIL_OPEN filter finished before it broke", async () => {
  // Marks every datagram; traps in the second call, when the first datagram of the call begins with 2.
  const onDatagrams = `
    ${forEachDescriptor(`(i32.store offset=40 (local.get $d) (i32.const 7))
      (if (i32.eq (i32.load8_u (i32.load (local.get $d))) (i32.const 2)) (then (unreachable)))`)}`;
  const { batch } = await runOnce({ onDatagrams, more: describeAs(0, 2) }, "FAIL_OPEN");
  expect([0, 1, 2].map((i) => batch.word(i, Word.mark))).toEqual([7, 7, 0]);
});

const DEEP = "(func $deep (param i32) (result i32) (i32.add (call $deep (local.get 0)) (i32.const 1)))";

test.each<[string, string, WatParts]>([
  ["out of its memory", "trap", { onDatagrams: "(i32.store (i32.const -4) (i32.const 1))" }],
  ["into endless recursion", "trap", { onDatagrams: "(drop (call $deep (i32.const 1)))", more: DEEP }],
  ["and answers an error", "status", { onDatagrams: "(return (i32.const 10))" }],
])("discards a filter that runs %s", async (_, kind, parts) => {
  const { env, batch } = await runOnce(parts, "FAIL_OPEN");
  expect(failures(env, kind)).toBe(1);
  expect(batch.action(0)).toBe(Action.Continue);
});

const lastOnly = (store: string): WatParts => ({
  // The first two are dropped in form; the mistake is in the third. Nothing of it may come into effect.
  onDatagrams: forEachDescriptor(`(if (i32.eq (local.get $i) (i32.const 2))
    (then ${store}) (else (i32.store8 offset=24 (local.get $d) (i32.const 2))))`),
});

test.each<[string, string, string]>([
  ["data outside its slot", "bad_output", "(i32.store (local.get $d) (i32.const 64))"],
  ["data at the end of memory", "bad_output", "(i32.store (local.get $d) (i32.const -1))"],
  [
    "data before headroom that it never asked for",
    "bad_output",
    "(i32.store (local.get $d) (i32.sub (i32.load (local.get $d)) (i32.const 1)))",
  ],
  ["a datagram that grows at its end", "bad_output", "(i32.store16 offset=4 (local.get $d) (i32.const 5))"],
  ["an action that does not exist", "bad_output", "(i32.store8 offset=24 (local.get $d) (i32.const 77))"],
  ["a reason of the host's", "bad_output", "(i32.store16 offset=24 (local.get $d) (i32.const 0xff02))"],
  [
    "PAUSE where nothing is kept",
    "unsupported_action",
    "(i32.store8 offset=24 (local.get $d) (i32.const 1))",
  ],
  [
    "REPLY where nothing is sent back",
    "unsupported_action",
    "(i32.store8 offset=24 (local.get $d) (i32.const 4))",
  ],
  ["RETARGET to nowhere", "bad_output", "(i32.store16 offset=12 (local.get $d) (i32.const 0x200))"],
  [
    "RETARGET with DROP",
    "unsupported_action",
    "(i32.store16 offset=12 (local.get $d) (i32.const 0x200)) (i32.store8 offset=24 (local.get $d) (i32.const 2))",
  ],
  [
    "SET_KEY behind stage LISTENER",
    "unsupported_action",
    "(i32.store16 offset=12 (local.get $d) (i32.const 0x800))",
  ],
  [
    "emitted datagrams where nothing is sent",
    "unsupported_action",
    "(i32.store offset=48 (local.get $batch) (i32.const 1))",
  ],
])("discards a filter that puts out %s, and nothing else it said holds", async (_, kind, store) => {
  const { env, batch } = await runOnce(lastOnly(store), "FAIL_OPEN");
  expect(failures(env, kind)).toBe(1);
  expect([0, 1, 2].map((i) => batch.action(i))).toEqual([0, 0, 0]);
});

test("goes on with a filter whose memory grows while it runs", async () => {
  const onDatagrams = `(drop (memory.grow (i32.const 1)))
    ${forEachDescriptor(`(i32.store offset=40 (local.get $d) (i32.load8_u (i32.load (local.get $d))))`)}`;
  const { env, chain, batch } = await runOnce({ onDatagrams }, "FAIL_CLOSED");
  batch.stage([{ payload: Uint8Array.of(42) }]);
  chain.run(batch, 0, 1, false, NOW_NS);
  expect(batch.word(0, Word.mark)).toBe(42);
  expect(failures(env, "trap")).toBe(0);
});

test.each<[FailurePolicy, number]>([
  ["FAIL_CLOSED", Action.Drop],
  ["FAIL_OPEN", Action.Continue],
])("a filter that cannot start under %s does not throw into the worker", async (policy, action) => {
  const { env, batch } = await runOnce({ onConfigure: "(i32.const 0)" }, policy);
  expect(batch.action(0)).toBe(action);
  expect(failures(env, "configure")).toBe(1);
});

test("a tick that traps ends the filter, not the worker", async () => {
  const more = '(func (export "proxy_on_tick") (param i32) (unreachable))';
  const imports = '(import "env" "proxy_set_tick_period_milliseconds" (func $tick (param i32) (result i32)))';
  const onConfigure = "(drop (call $tick (i32.const 10))) (i32.const 1)";
  const { env, chain, batch } = await runOnce({ imports, onConfigure, more }, "FAIL_OPEN");
  chain.tick(0);
  expect(chain.tick(10)).toBe(Number.POSITIVE_INFINITY);
  expect(failures(env, "trap")).toBe(1);
  expect(batch.action(0)).toBe(Action.Continue);
});
