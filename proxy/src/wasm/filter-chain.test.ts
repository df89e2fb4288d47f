// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { Action, Flag, Word } from "../datapath/batch.ts";
import type { FilterPlan } from "../plan.ts";
import { FilterChain } from "./filter-chain.ts";
import { describeAs, forEachDescriptor, type WatParts, watPlan } from "./testdata/wat-filter.ts";
import { MemoryBatch } from "./testing/memory-batch.ts";
import { MemoryEnvironment } from "./testing/memory-environment.ts";

const NOW_NS = 5_000_000_000;
const SET_DIRTY = "(i32.store16 offset=12 (local.get $d) (i32.const 0x100))";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

function staged(...payloads: Uint8Array[]): MemoryBatch {
  const batch = new MemoryBatch();
  batch.stage(payloads.map((payload) => ({ payload })));
  return batch;
}

function run(plans: readonly FilterPlan[], batch: MemoryBatch, upstream = false): MemoryEnvironment {
  const env = new MemoryEnvironment();
  FilterChain.create(plans, env).run(batch, 0, batch.count, upstream, NOW_NS);
  return env;
}

/** A filter that appends a decimal digit to each datagram's mark. */
const appendDigit = (digit: number): WatParts => ({
  onDatagrams: forEachDescriptor(`(i32.store offset=40 (local.get $d)
    (i32.add (i32.mul (i32.load offset=40 (local.get $d)) (i32.const 10)) (i32.const ${digit})))`),
});

/** Drops datagrams whose first byte is odd, for reason 7. */
const dropOdd: WatParts = {
  onDatagrams: forEachDescriptor(`(if (i32.and (i32.load8_u (i32.load (local.get $d))) (i32.const 1))
    (then (i32.store16 offset=24 (local.get $d) (i32.const 0x702))))`),
};

test("a chain without filters says so and leaves every datagram alone", () => {
  const chain = FilterChain.create([], new MemoryEnvironment());
  const batch = staged(bytes(1));
  chain.run(batch, 0, 1, false, NOW_NS);
  expect(chain.isEmpty).toBe(true);
  expect(batch.action(0)).toBe(Action.Continue);
});

test("runs the filters in their order from the client and in reverse from the endpoint", async () => {
  const plans = [await watPlan(appendDigit(1)), await watPlan(appendDigit(2))];
  const down = staged(bytes(0));
  const up = staged(bytes(0));
  run(plans, down);
  run(plans, up, true);
  expect([down.word(0, Word.mark), up.word(0, Word.mark)]).toEqual([12, 21]);
});

test("drops what a filter drops, counts it by reason, and hides it from the filters behind", async () => {
  const batch = staged(bytes(0), bytes(1), bytes(2), bytes(3));
  const env = run([await watPlan(dropOdd), await watPlan(appendDigit(5))], batch);
  expect([0, 1, 2, 3].map((i) => batch.action(i))).toEqual([0, Action.Drop, 0, Action.Drop]);
  expect(batch.reason(1)).toBe(7);
  expect([0, 1, 2, 3].map((i) => batch.word(i, Word.mark))).toEqual([5, 0, 5, 0]);
  expect(env.value('msm_filter_dropped_total{reason="unspecified"}')).toBe(2);
});

test("leaves datagrams alone that were dropped before, or lie outside the range", async () => {
  const batch = staged(bytes(0), bytes(0), bytes(0));
  batch.setWord(1, Word.action, Action.Drop);
  const chain = FilterChain.create([await watPlan(appendDigit(5))], new MemoryEnvironment());
  chain.run(batch, 1, 2, false, NOW_NS);
  expect([0, 1, 2].map((i) => batch.word(i, Word.mark))).toEqual([0, 0, 5]);
});

test("takes a consumed datagram off the way without counting it as dropped", async () => {
  const onDatagrams = forEachDescriptor("(i32.store8 offset=24 (local.get $d) (i32.const 3))");
  const batch = staged(bytes(1));
  const env = run([await watPlan({ onDatagrams })], batch);
  expect(batch.action(0)).toBe(Action.Consume);
  expect(env.value('msm_filter_dropped_total{reason="unspecified"}')).toBe(0);
});

test.each([0, 1, 2, 3])("copies payloads exactly when they begin %i bytes off a word", async (shift) => {
  const onDatagrams = forEachDescriptor(`
    (i32.store8 (i32.load (local.get $d)) (i32.add (i32.load8_u (i32.load (local.get $d))) (i32.const 1)))
    (i32.store8 offset=6 (i32.load (local.get $d)) (i32.const 99)) ${SET_DIRTY}`);
  const batch = new MemoryBatch();
  batch.stage(
    [{ payload: bytes(1, 2, 3, 4, 5, 6, 7, 8, 9) }, { payload: bytes(9, 8, 7, 6, 5, 4, 3) }],
    shift,
  );
  run([await watPlan({ onDatagrams })], batch);
  expect(batch.payload(0)).toEqual(bytes(2, 2, 3, 4, 5, 6, 99, 8, 9));
  expect(batch.payload(1)).toEqual(bytes(10, 8, 7, 6, 5, 4, 99));
});

test("ignores writes of a filter that does not say that it wrote", async () => {
  const onDatagrams = forEachDescriptor("(i32.store8 (i32.load (local.get $d)) (i32.const 66))");
  const batch = staged(bytes(1, 2));
  run([await watPlan({ onDatagrams })], batch);
  expect(batch.payload(0)).toEqual(bytes(1, 2));
});

test("shows a filter no more than its window, and keeps what is behind it when the front is rewritten", async () => {
  const onDatagrams = forEachDescriptor(`
    (i32.store8 (i32.load (local.get $d)) (i32.load16_u offset=6 (local.get $d)))
    (i32.store8 offset=1 (i32.load (local.get $d)) (i32.load8_u offset=4 (i32.load (local.get $d)))) ${SET_DIRTY}`);
  const batch = staged(bytes(1, 2, 3, 4, 5, 6));
  run([await watPlan({ onDatagrams, more: describeAs(4) })], batch);
  // The number of bytes that were there, and a byte behind the window.
  expect(batch.payload(0)).toEqual(bytes(4, 0, 3, 4, 5, 6));
});

test("lets a filter trim a datagram at both ends", async () => {
  const onDatagrams = forEachDescriptor(`
    (i32.store (local.get $d) (i32.add (i32.load (local.get $d)) (i32.const 1)))
    (i32.store16 offset=4 (local.get $d) (i32.const 3))`);
  const batch = staged(bytes(1, 2, 3, 4, 5, 6));
  run([await watPlan({ onDatagrams })], batch);
  expect(batch.payload(0)).toEqual(bytes(2, 3, 4));
  expect(batch.word(0, Word.length)).toBe(3 | (3 << 16));
});

test("lets a filter put bytes before a datagram, into the headroom that it asked for", async () => {
  const onDatagrams = forEachDescriptor(`
    (i32.store (local.get $d) (i32.sub (i32.load (local.get $d)) (i32.const 2)))
    (i32.store16 offset=4 (local.get $d) (i32.const 5))
    (i32.store16 (i32.load (local.get $d)) (i32.const 0x0908))`);
  const batch = staged(bytes(1, 2, 3));
  const more = describeAs(2, 0, 16);
  run([await watPlan({ onDatagrams, more })], batch);
  expect(batch.payload(0)).toEqual(bytes(8, 9, 1, 2, 3));
});

test("does not let a filter write before a datagram into the one that the kernel put there", async () => {
  const onDatagrams = forEachDescriptor(`
    (i32.store (local.get $d) (i32.sub (i32.load (local.get $d)) (i32.const 1)))
    (i32.store16 offset=4 (local.get $d) (i32.const 4))`);
  const batch = staged(bytes(1, 2, 3), bytes(0, 0, 0));
  // As UDP_GRO delivers them: the second follows directly on the first.
  batch.setWord(1, Word.data, batch.word(0, Word.data) + 3);
  const env = run([await watPlan({ onDatagrams, more: describeAs(0, 0, 16) })], batch);
  expect(env.value('msm_filter_failures_total{kind="bad_output"}')).toBe(1);
  expect(batch.payload(0)).toEqual(bytes(1, 2, 3));
});

test("takes back TOS, TTL, mark and user, and no flag but DIRTY", async () => {
  const onDatagrams = forEachDescriptor(`
    (i32.store offset=12 (local.get $d) (i32.const 0x07b80102))
    (i64.store offset=48 (local.get $d) (i64.const 0x1122334455667788))`);
  const batch = new MemoryBatch();
  batch.stage([{ payload: bytes(1), upstream: true }]);
  run([await watPlan({ onDatagrams })], batch);
  expect(batch.word(0, Word.flags)).toBe(0x07b8_0000 | Flag.Dirty | Flag.UpstreamDirection);
  expect([batch.word(0, Word.userHigh), batch.word(0, Word.userLow)]).toEqual([0x1122_3344, 0x5566_7788]);
});

test("the fields that a filter fills in are cleared before it sees them", async () => {
  const onDatagrams = forEachDescriptor(`(i32.store offset=40 (local.get $d) (i32.or
    (i32.or (i32.load offset=24 (local.get $d)) (i32.load offset=28 (local.get $d)))
    (i32.or (i32.load offset=32 (local.get $d)) (i32.load offset=44 (local.get $d)))))`);
  const batch = staged(bytes(0));
  for (const word of [Word.target, Word.txLow, Word.addresses]) batch.setWord(0, word, 1);
  batch.setWord(0, Word.action, 0xffff_ff00);
  run([await watPlan({ onDatagrams })], batch);
  expect(batch.word(0, Word.mark)).toBe(0);
});

test("hands a batch over in parts no larger than the filter takes", async () => {
  // Each datagram gets the number of datagrams in its call as mark.
  const onDatagrams = forEachDescriptor(
    "(i32.store offset=40 (local.get $d) (i32.load offset=8 (local.get $batch)))",
  );
  const batch = staged(...Array.from({ length: 10 }, () => bytes(0)));
  run([await watPlan({ onDatagrams, more: describeAs(0, 4) })], batch);
  const sizes = Array.from({ length: 10 }, (_, i) => batch.word(i, Word.mark));
  expect(sizes).toEqual([4, 4, 4, 4, 4, 4, 4, 4, 2, 2]);
});

test("tells the filter the time of the batch on both clocks", async () => {
  const onDatagrams = forEachDescriptor(`
    (i32.store offset=40 (local.get $d) (i32.load offset=32 (local.get $batch)))
    (i64.store offset=48 (local.get $d) (i64.load offset=40 (local.get $batch)))`);
  const batch = staged(bytes(0));
  run([await watPlan({ onDatagrams })], batch);
  expect(batch.word(0, Word.mark)).toBe(NOW_NS % 2 ** 32);
  const wall = (BigInt(batch.word(0, Word.userHigh)) << 32n) | BigInt(batch.word(0, Word.userLow));
  expect(wall).toBe(MemoryEnvironment.wallNsAt(BigInt(NOW_NS)));
});
