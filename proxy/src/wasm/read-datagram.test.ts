// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { Action, Word } from "../datapath/batch.ts";
import { BatchFlag, Status } from "./abi.ts";
import { FilterChain } from "./filter-chain.ts";
import { describeAs, forEachDescriptor, watPlan } from "./testdata/wat-filter.ts";
import { MemoryBatch } from "./testing/memory-batch.ts";
import { MemoryEnvironment } from "./testing/memory-environment.ts";

const NOW_NS = 1_000_000_000;
const READ = `(import "env" "msm_read_datagram" (func $read (param i32 i32 i32 i32) (result i32)))`;

/** Runs datagrams 0, 1, 2 … of `length` bytes, all of them being their number, through a filter with a window of 4. */
async function run(onDatagrams: string, { length = 100, count = 2, more = "" } = {}): Promise<MemoryBatch> {
  const plan = await watPlan({ imports: READ, onDatagrams, more: describeAs(4, 1) + more });
  const chain = FilterChain.create([plan], new MemoryEnvironment());
  const batch = new MemoryBatch();
  const payloads = Array.from({ length: count }, (_, i) => new Uint8Array(length).fill(i));
  batch.stage(payloads.map((payload) => ({ payload })));
  chain.run(batch, 0, count, false, NOW_NS);
  expect(chain.failed).toEqual([]);
  return batch;
}

/** `mark` of each datagram, where these filters leave what they found. */
function marks(batch: MemoryBatch, count = 2): readonly number[] {
  const first = batch.descriptors >>> 2;
  return Array.from({ length: count }, (_, i) => batch.words[first + i * 16 + Word.mark]!);
}

test("a filter reads bytes beyond its window, of the datagram that it names", async () => {
  // The last four bytes into memory that is free, and from there into the mark.
  const batch = await run(
    forEachDescriptor(`
      (drop (call $read (local.get $i) (i32.const 96) (i32.const 64) (i32.const 4)))
      (i32.store offset=40 (local.get $d) (i32.load (i32.const 64)))`),
  );

  expect(marks(batch)).toEqual([0, 0x0101_0101]);
});

test.each([
  ["a datagram that is not in the call", 1, 0, 64, 4, Status.NotFound],
  ["bytes behind the end", 0, 97, 64, 4, Status.NotFound],
  ["bytes beyond any datagram", 0, -1, 64, 4, Status.NotFound],
  ["more than its memory holds", 0, 0, -4, 100, Status.InvalidMemoryAccess],
])("reading %s is refused", async (_what, index, offset, to, size, status) => {
  const call = `(call $read (i32.const ${index}) (i32.const ${offset}) (i32.const ${to}) (i32.const ${size}))`;
  const batch = await run(forEachDescriptor(`(i32.store offset=40 (local.get $d) ${call})`), { count: 1 });

  expect(marks(batch, 1)).toEqual([status]);
});

test("reading is refused outside of a batch", async () => {
  const more = `(global $found (mut i32) (i32.const -1))
    (func (export "proxy_on_tick") (param i32)
      (global.set $found (call $read (i32.const 0) (i32.const 0) (i32.const 64) (i32.const 4))))`;
  const tick = `(import "env" "proxy_set_tick_period_milliseconds" (func $every (param i32) (result i32)))`;
  const onConfigure = "(drop (call $every (i32.const 1))) (i32.const 1)";
  const onDatagrams = forEachDescriptor("(i32.store offset=40 (local.get $d) (global.get $found))");
  const plan = await watPlan({ imports: READ + tick, onConfigure, onDatagrams, more });
  const chain = FilterChain.create([plan], new MemoryEnvironment());
  const batch = new MemoryBatch();
  batch.stage([{ payload: Uint8Array.of(1, 2, 3, 4) }]);
  chain.run(batch, 0, 1, false, NOW_NS);
  chain.tick(0);
  chain.tick(1000);
  chain.run(batch, 0, 1, false, NOW_NS);

  expect(marks(batch, 1)).toEqual([Status.NotFound]);
});

test("a filter that says it changed nothing is believed: what it wrote all the same is not seen", async () => {
  const drop = forEachDescriptor("(i32.store8 offset=24 (local.get $d) (i32.const 2))");
  const unchanged = `(i32.store offset=52 (local.get $batch) (i32.const ${BatchFlag.Unchanged}))`;

  const dropped = await run(drop);
  expect([dropped.action(0), dropped.action(1)]).toEqual([Action.Drop, Action.Drop]);
  const believed = await run(drop + unchanged);
  expect([believed.action(0), believed.action(1)]).toEqual([Action.Continue, Action.Continue]);
});
