// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import { DESCRIPTOR_WORDS, Word } from "../datapath/batch.ts";
import { Ring } from "../datapath/ring.ts";
import { BATCH_BYTES, BatchField, BatchFlag } from "./abi.ts";
import { BatchWindow } from "./batch-window.ts";
import { FilterClock } from "./filter-clock.ts";
import { GuestMemory } from "./guest-memory.ts";
import { defaultPluginInfo } from "./plugin-info.ts";
import { MemoryEnvironment } from "./testing/memory-environment.ts";

const WINDOW_BYTES = 16;
const clock = new FilterClock(new MemoryEnvironment());

function createWindow(): { readonly memory: GuestMemory; readonly window: BatchWindow } {
  const memory = new GuestMemory();
  memory.attach(new WebAssembly.Memory({ initial: 4 }), () => BATCH_BYTES);
  const info = { ...defaultPluginInfo, windowBytes: WINDOW_BYTES, maxBatch: 256 };
  return { memory, window: new BatchWindow(memory, info) };
}

/** One turn: datagrams, an index whose mark an earlier filter set, and what the guest does: look, or scribble. */
const turn = fc.record({
  lengths: fc.array(fc.nat(200), { minLength: 1, maxLength: 20 }),
  marked: fc.option(fc.nat(19), { nil: -1 }),
  scribbles: fc.boolean(),
});

test("a filter sees what came, whatever it and others left of the batches before", () => {
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 12 }), (turns) => {
      const ring = new Ring();
      const { memory, window } = createWindow();
      for (const { lengths, marked, scribbles } of turns) {
        ring.clear();
        for (const [i, length] of lengths.entries()) {
          ring.bytes.fill(i + 1, ring.payload(ring.slots), ring.payload(ring.slots) + length);
          ring.add(length, length, 1, i, 7);
        }
        for (let slot = 0; slot < ring.slots; slot++) ring.describe(slot, slot + 100);
        const base = ring.descriptors >> 2;
        if (marked >= 0 && marked < lengths.length) {
          ring.words[base + marked * DESCRIPTOR_WORDS + Word.mark] = 5;
          ring.cleanDescriptors = 0;
        }
        window.copyIn(ring, Uint32Array.from(lengths.keys()), 0, lengths.length, clock);
        expect(lengths.map((_, i) => seen(memory, window, i))).toEqual(
          lengths.map((length, i) => ({
            length: length | (Math.min(length, WINDOW_BYTES) << 16),
            first: length === 0 ? undefined : i + 1,
            fields: [i + 100, 1, i, 7, 0, 0, 0, 0, i === marked ? 5 : 0, 0, 0, 0],
          })),
        );
        guestAnswers(memory, window, lengths.length, scribbles);
        if (scribbles) window.noteTraces();
      }
    }),
    { numRuns: 100 },
  );
});

function seen(memory: GuestMemory, window: BatchWindow, index: number): object {
  const at = window.firstWord + index * DESCRIPTOR_WORDS;
  const length = memory.words[at + Word.length]!;
  return {
    length,
    first: length === 0 ? undefined : memory.bytes[memory.words[at + Word.data]!],
    fields: [...memory.words.subarray(at + Word.session, at + Word.userHigh + 1)],
  };
}

/** One that only looks says so; one that scribbles writes over everything that it may. */
function guestAnswers(memory: GuestMemory, window: BatchWindow, count: number, scribbles: boolean): void {
  const flags = (window.address + BatchField.flags) >>> 2;
  if (scribbles) memory.words.fill(9, window.firstWord, window.firstWord + count * DESCRIPTOR_WORDS);
  else memory.words[flags] = BatchFlag.Unchanged;
}
