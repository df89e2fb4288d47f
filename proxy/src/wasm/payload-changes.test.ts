// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { DESCRIPTOR_WORDS, Word } from "../datapath/batch.ts";
import { Ring } from "../datapath/ring.ts";
import { FilterChain } from "./filter-chain.ts";
import { describeAs, forEachDescriptor, watPlan } from "./testdata/wat-filter.ts";
import { MemoryEnvironment } from "./testing/memory-environment.ts";

const RUN = 5;
const SEGMENT_BYTES = 200;
const SET_DIRTY = "(i32.store16 offset=12 (local.get $d) (i32.const 0x100))";

/** Adds 1 to the first byte of each datagram, and does what else it is told. */
const increment = (more = ""): string =>
  forEachDescriptor(`(i32.store8 (i32.load (local.get $d))
    (i32.add (i32.load8_u (i32.load (local.get $d))) (i32.const 1))) ${more}`);

/** A ring with one run of datagrams, each of them full of its number; the last is shorter. */
function ringOfRun(): Ring {
  const ring = new Ring();
  const length = RUN * SEGMENT_BYTES - 70;
  for (let i = 0; i < length; i++) ring.bytes[ring.payload(0) + i] = Math.floor(i / SEGMENT_BYTES);
  ring.add(length, SEGMENT_BYTES, 0, 1, 2);
  ring.describe(0, 2);
  return ring;
}

/** The first two bytes of each datagram, where it lies in the run. */
function heads(ring: Ring): readonly (readonly number[])[] {
  return Array.from({ length: RUN }, (_, i) => {
    const at = ring.payload(0) + i * SEGMENT_BYTES;
    return [...ring.bytes.subarray(at, at + 2)];
  });
}

async function chainOf(...parts: readonly { readonly onDatagrams: string; readonly more?: string }[]) {
  const plans = await Promise.all(parts.map((part) => watPlan(part)));
  return FilterChain.create(plans, new MemoryEnvironment());
}

test("a run whose payloads alone were rewritten can leave in one piece, with what the filters wrote", async () => {
  const whole = { onDatagrams: increment(SET_DIRTY) };
  const chain = await chainOf(whole, { ...whole, more: describeAs(16) });
  const ring = ringOfRun();
  const clean = ring.cleanDescriptors;
  expect(chain.run(ring, 0, RUN, false, 0)).toBe(false);
  expect(heads(ring)).toEqual([0, 1, 2, 3, 4].map((i) => [i + 2, i]));
  expect([chain.failed, ring.cleanDescriptors]).toEqual([[], clean]);
});

test("what a filter wrote to one datagram without saying so is forgotten, and the others keep theirs", async () => {
  const dirtyButFirst = `(if (local.get $i) (then ${SET_DIRTY}))`;
  const chain = await chainOf({ onDatagrams: increment(dirtyButFirst) });
  const ring = ringOfRun();
  expect(chain.run(ring, 0, RUN, false, 0)).toBe(false);
  expect(heads(ring).map(([first]) => first)).toEqual([0, 2, 3, 4, 5]);
});

test("a run of which one datagram got a mark as well has to be looked at one by one", async () => {
  const markThird = `(if (i32.eq (local.get $i) (i32.const 2))
    (then (i32.store offset=40 (local.get $d) (i32.const 7))))`;
  const chain = await chainOf({ onDatagrams: increment(SET_DIRTY + markThird) });
  const ring = ringOfRun();
  expect(chain.run(ring, 0, RUN, false, 0)).toBe(true);
  expect(heads(ring).map(([first]) => first)).toEqual([1, 2, 3, 4, 5]);
  const marks = Array.from(
    { length: RUN },
    (_, i) => ring.words[(ring.descriptors >> 2) + i * DESCRIPTOR_WORDS + Word.mark],
  );
  expect(marks).toEqual([0, 0, 7, 0, 0]);
});

test.each([
  ["target", 28],
  ["tx_ns", 32],
  ["addrs", 44],
  ["rsv", 60],
])("a filter that left something in %s finds none of it in the next batch", async (_, offset) => {
  const refuseAndLeave = `(if (i32.load offset=${offset} (local.get $d)) (then unreachable))
    (i32.store offset=${offset} (local.get $d) (i32.const 3))`;
  const chain = await chainOf({ onDatagrams: increment(refuseAndLeave + SET_DIRTY) });
  for (let turn = 0; turn < 3; turn++) chain.run(ringOfRun(), 0, RUN, false, 0);
  expect(chain.failed).toEqual([]);
});
