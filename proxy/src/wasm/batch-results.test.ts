// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import { DESCRIPTOR_BYTES, Word } from "../datapath/batch.ts";
import { Stage } from "./abi.ts";
import { FilterChain } from "./filter-chain.ts";
import { type WatParts, watPlan } from "./testdata/wat-filter.ts";
import { MemoryBatch } from "./testing/memory-batch.ts";
import { MemoryEnvironment } from "./testing/memory-environment.ts";

const COUNT = 3;
const PAYLOAD_BYTES = 20;
const HEADROOM_BYTES = 16;

/**
 * A filter that adds its configuration, word by word, to the descriptors of the batch and behind them: small
 * numbers make changes that are nearly right, large ones make nonsense.
 */
const vandal: WatParts = {
  imports: `(import "env" "proxy_get_buffer_bytes"
    (func $buffer (param i32 i32 i32 i32 i32) (result i32)))`,
  onConfigure: `(drop (call $buffer (i32.const 7) (i32.const 0) (i32.const 4096) (i32.const 16) (i32.const 20)))
    (i32.const 1)`,
  onDatagrams: `
    (local.set $d (i32.load offset=16 (local.get $batch)))
    (block $done (loop $again
      (br_if $done (i32.ge_u (local.get $i) (i32.load (i32.const 20))))
      (i32.store (local.get $d) (i32.add (i32.load (local.get $d))
        (i32.load (i32.add (i32.load (i32.const 16)) (local.get $i)))))
      (local.set $d (i32.add (local.get $d) (i32.const 4)))
      (local.set $i (i32.add (local.get $i) (i32.const 4)))
      (br $again)))`,
  // At sessions and before them; a window of eight bytes, and headroom.
  more: `(func (export "msm_describe") (param $out i32) (param i32) (result i32)
    (i32.store offset=4 (local.get $out) (i32.const 3))
    (i32.store offset=8 (local.get $out) (i32.const 8))
    (i32.store offset=20 (local.get $out) (i32.const ${HEADROOM_BYTES})) (i32.const 0))`,
};

const plan = await watPlan(vandal, { failurePolicy: "FAIL_OPEN" });

/** Mostly nothing, else a flag, a small step, or any number. */
const step = fc.oneof(
  { weight: 20, arbitrary: fc.constant(0) },
  fc.integer({ min: -20, max: 20 }),
  fc.constantFrom(0x100, 0x200, 0x0002, 0x0003, 0xff02, 0x1_0000, -0x1_0000),
  fc.integer(),
);

test.each([
  ["SESSION", Stage.Session],
  ["LISTENER", Stage.Listener],
])(
  "whatever a filter at %s writes, nothing but its datagrams and their headroom can change in the ring",
  (_, stage) => {
    const steps = fc.array(step, { minLength: 1, maxLength: COUNT * 16 });
    let failed = 0;
    let passed = 0;
    fc.assert(
      fc.property(steps, (words) => {
        const configuration = new Uint8Array(Int32Array.from(words).buffer);
        const chain = FilterChain.create(
          [{ ...plan, configuration }],
          new MemoryEnvironment("test", true, stage),
        );
        const batch = new MemoryBatch(COUNT + 1, 64, 64);
        batch.stage(
          Array.from({ length: COUNT + 1 }, (_, i) => ({
            payload: new Uint8Array(PAYLOAD_BYTES).fill(i + 1),
          })),
        );
        const before = batch.bytes.slice();
        const starts = Array.from({ length: COUNT }, (_, i) => batch.word(i, Word.data));

        chain.run(batch, 0, COUNT, false, 0);

        if (chain.failed.length > 0) failed++;
        else passed++;
        expect(changedOutside(batch, before, starts)).toEqual([]);
        for (const [i, start] of starts.entries()) {
          const data = batch.word(i, Word.data);
          const length = batch.word(i, Word.length) & 0xffff;
          expect(data).toBeGreaterThanOrEqual(start - HEADROOM_BYTES);
          expect(data + length).toBeLessThanOrEqual(start + PAYLOAD_BYTES);
          expect(batch.word(i, Word.length) >>> 16).toBeLessThanOrEqual(length);
        }
      }),
      { numRuns: 1_000 },
    );
    // Both sorts came up, so that the test says something.
    expect(Math.min(failed, passed)).toBeGreaterThan(50);
  },
);

/** Addresses that changed and belong neither to a descriptor of the run nor to a datagram with its headroom. */
function changedOutside(batch: MemoryBatch, before: Uint8Array, starts: readonly number[]): number[] {
  const isAllowed = (at: number): boolean =>
    (at >= batch.descriptors && at < batch.descriptors + COUNT * DESCRIPTOR_BYTES) ||
    starts.some((start) => at >= start - HEADROOM_BYTES && at < start + PAYLOAD_BYTES);
  const changed: number[] = [];
  for (let at = 0; at < before.length; at++) {
    if (before[at] !== batch.bytes[at] && !isAllowed(at)) changed.push(at);
  }
  return changed;
}
