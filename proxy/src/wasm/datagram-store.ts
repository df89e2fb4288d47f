// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { Action, type Batch, DESCRIPTOR_BYTES, DESCRIPTOR_WORDS, Flag, Word } from "../datapath/batch.ts";
import { copyBytes, type MemoryViews } from "./copy-bytes.ts";

/** Datagrams that a chain may keep at a time, outside of the worker's ring. */
const CAPACITY = 1_024;

/** Payloads up to a jumbo frame can be kept; untouched pages cost nothing. */
const PAYLOAD_BYTES = 9_216;
const HEADROOM_BYTES = 128;
const STRIDE_BYTES = HEADROOM_BYTES + PAYLOAD_BYTES + 64;

/** What a kept copy has of its descriptor, besides payload and length. */
const KEPT_WORDS = [
  Word.session,
  Word.flags,
  Word.rxLow,
  Word.rxHigh,
  Word.target,
  Word.mark,
  Word.userLow,
  Word.userHigh,
] as const;

/**
 * Memory for datagrams that are not, or no longer, in the worker's ring. A batch like the ring, so that filters run
 * over it in the same way; but any of its slots may be free or taken.
 */
export class DatagramStore implements Batch {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly descriptors = 0;
  readonly capacity = CAPACITY;
  readonly headroom = HEADROOM_BYTES;
  /** Every slot has a descriptor. */
  count = CAPACITY;
  cleanDescriptors = 0;
  readonly #free = new Uint16Array(CAPACITY);
  #freeCount = CAPACITY;

  constructor() {
    this.bytes = new Uint8Array(CAPACITY * (DESCRIPTOR_BYTES + STRIDE_BYTES));
    this.words = new Uint32Array(this.bytes.buffer);
    // The last one freed is taken first, so that few pages are touched.
    for (let i = 0; i < CAPACITY; i++) this.#free[i] = CAPACITY - 1 - i;
  }

  /** How many datagrams are kept. */
  get taken(): number {
    return CAPACITY - this.#freeCount;
  }

  /**
   * Keeps a copy of a payload in `from`. Returns its slot, whose other fields are 0, or -1 where there is no room or the
   * payload is too large.
   */
  keep(from: MemoryViews, data: number, length: number): number {
    if (this.#freeCount === 0 || length > PAYLOAD_BYTES) return -1;
    const slot = this.#free[--this.#freeCount]!;
    const word = slot * DESCRIPTOR_WORDS;
    // The same remainder by 4, so that words can be copied.
    const at = CAPACITY * DESCRIPTOR_BYTES + slot * STRIDE_BYTES + HEADROOM_BYTES + (data & 3);
    this.words.fill(0, word, word + DESCRIPTOR_WORDS);
    this.words[word + Word.data] = at;
    this.words[word + Word.length] = length | (length << 16);
    copyBytes(this, at, from, data, length);
    return slot;
  }

  /** Keeps a copy of datagram `index` of a batch, with what filters said of it. Returns its slot or -1. */
  keepCopy(batch: Batch, index: number): number {
    const from = (batch.descriptors >>> 2) + index * DESCRIPTOR_WORDS;
    const slot = this.keep(batch, batch.words[from + Word.data]!, batch.words[from + Word.length]! >>> 16);
    if (slot < 0) return -1;
    const to = slot * DESCRIPTOR_WORDS;
    for (let i = 0; i < KEPT_WORDS.length; i++) {
      const word = KEPT_WORDS[i]!;
      this.words[to + word] = batch.words[from + word]!;
    }
    return slot;
  }

  release(slot: number): void {
    this.words[slot * DESCRIPTOR_WORDS + Word.action] = Action.Consume;
    this.#free[this.#freeCount++] = slot;
  }

  /** Context id of the session of a kept datagram. */
  session(slot: number): number {
    return this.words[slot * DESCRIPTOR_WORDS + Word.session]!;
  }

  isUpstream(slot: number): boolean {
    return (this.words[slot * DESCRIPTOR_WORDS + Word.flags]! & Flag.UpstreamDirection) !== 0;
  }

  /** Turns a kept datagram round: it goes back to where it came from. */
  turn(slot: number): void {
    this.words[slot * DESCRIPTOR_WORDS + Word.flags]! ^= Flag.UpstreamDirection;
  }
}
