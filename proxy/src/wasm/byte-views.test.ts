// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteViews } from "./byte-views.ts";
import { copyPayload } from "./copy-bytes.ts";

const MEMORY_BYTES = 65_536;

/** A memory in which every byte differs from its neighbours and from those of the page before. */
function createMemory(): { readonly bytes: Uint8Array; readonly words: Uint32Array } {
  const bytes = Uint8Array.from({ length: MEMORY_BYTES }, (_, i) => (i * 7 + (i >>> 8)) & 0xff);
  return { bytes, words: new Uint32Array(bytes.buffer) };
}

test("a part that was wanted before has the view that it had", () => {
  const { bytes } = createMemory();
  const views = new ByteViews();
  views.begin(bytes);
  const first = views.find(1000, 1280);
  views.begin(bytes);
  expect(views.find(1000, 1280)).toBe(first);
  expect(first).toEqual(bytes.subarray(1000, 2280));
});

test("a batch of ever new parts makes few views, and the next batch makes some again", () => {
  const { bytes } = createMemory();
  const views = new ByteViews();
  const made = [0, 1].map((turn) => {
    views.begin(bytes);
    const found = Array.from({ length: 100 }, (_, i) => views.find(turn * 8192 + i * 64, 64));
    return found.filter((view) => view !== undefined).length;
  });
  expect(made[0]).toBeLessThan(20);
  expect(made[1]).toBe(made[0]);
});

test("a memory that has grown is another one: no view of the old is found", () => {
  const views = new ByteViews();
  const memory = new WebAssembly.Memory({ initial: 1 });
  views.begin(new Uint8Array(memory.buffer));
  views.find(0, 128);
  memory.grow(1);
  views.begin(new Uint8Array(memory.buffer));
  expect(views.find(0, 128)).toHaveLength(128);
});

test("a batch that lies elsewhere has no views, and takes none away", () => {
  const { bytes } = createMemory();
  const views = new ByteViews();
  views.begin(bytes);
  const view = views.find(0, 128);
  const elsewhere = createMemory().bytes;
  for (let turn = 0; turn < 3; turn++) {
    views.begin(elsewhere);
    expect(views.find(0, 128)).toBeUndefined();
    views.begin(bytes);
    expect(views.find(0, 128)).toBe(view);
  }
});

/** Places whose remainders by 4 are the same, as `copyPayload` asks. */
const copy = fc.record({
  fromWord: fc.nat(4_000),
  toWord: fc.nat(4_000),
  remainder: fc.nat(3),
  length: fc.oneof(fc.nat(300), fc.nat(40_000)),
  again: fc.boolean(),
});

test("a payload of any length arrives whole, and nothing beside it is written", () => {
  const from = createMemory();
  const views = new ByteViews();
  fc.assert(
    fc.property(copy, ({ fromWord, toWord, remainder, length, again }) => {
      const bytes = new Uint8Array(MEMORY_BYTES);
      const to = { bytes, words: new Uint32Array(bytes.buffer) };
      const [fromAt, toAt] = [fromWord * 4 + remainder, toWord * 4 + remainder];
      if (again) views.begin(from.bytes);
      copyPayload(to, toAt, from, fromAt, length, views);
      const expected = new Uint8Array(MEMORY_BYTES);
      expected.set(from.bytes.subarray(fromAt, fromAt + length), toAt);
      expect(Buffer.compare(bytes, expected)).toBe(0);
    }),
    { numRuns: 200 },
  );
});
