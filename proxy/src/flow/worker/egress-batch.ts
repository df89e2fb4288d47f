// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type Batch, DESCRIPTOR_BYTES, DESCRIPTOR_WORDS, Word } from "../../datapath/batch.ts";
import { alignUp } from "../../datapath/ring.ts";
import { FIRST_SESSION_CONTEXT } from "../../wasm/abi.ts";
import { copyBytes, type MemoryViews } from "../../wasm/copy-bytes.ts";
import type { RunningLeg } from "./running-flow.ts";

/** As many copies as a filter may be shown in one call. */
export const EGRESS_CAPACITY = 256;
const HEADROOM_BYTES = 128;
/** Room for all of them at the size of media, and for some that are as large as can be. */
const PAYLOAD_BYTES = EGRESS_CAPACITY * 2_048;
const PAGE_BYTES = 65_536;

/**
 * The copies that receivers are about to get, many receivers in one batch, each datagram in a place of its own: a filter
 * that changes one changes what one receiver gets. The memory never moves, so that it can be sent from.
 */
export class EgressBatch implements Batch {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly descriptors = 0;
  readonly capacity = EGRESS_CAPACITY;
  readonly headroom = HEADROOM_BYTES;
  count = 0;
  cleanDescriptors = 0;
  /** By descriptor: whose it is, and whether it is RTCP. */
  readonly legs: (RunningLeg | undefined)[] = new Array(EGRESS_CAPACITY).fill(undefined);
  readonly isControl = new Uint8Array(EGRESS_CAPACITY);
  #end = EGRESS_CAPACITY * DESCRIPTOR_BYTES;

  constructor() {
    const pages = Math.ceil((EGRESS_CAPACITY * DESCRIPTOR_BYTES + PAYLOAD_BYTES) / PAGE_BYTES);
    const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.bytes = new Uint8Array(buffer);
    this.words = new Uint32Array(buffer);
  }

  /** Whether a datagram of so many bytes fits; one does into an empty batch. */
  hasRoom(length: number): boolean {
    return (
      this.count < EGRESS_CAPACITY &&
      alignUp(this.#end, 64) + HEADROOM_BYTES + 3 + length <= this.bytes.length
    );
  }

  /** Adds a copy for a leg. Returns where its payload is. */
  add(leg: RunningLeg, isControl: boolean, from: MemoryViews, start: number, length: number): number {
    const index = this.count++;
    // The same remainder by 4, so that words can be copied.
    const data = alignUp(this.#end, 64) + HEADROOM_BYTES + (start & 3);
    copyBytes(this, data, from, start, length);
    this.#end = data + length;
    this.legs[index] = leg;
    this.isControl[index] = isControl ? 1 : 0;
    this.#describe(index, data, length, leg.record + FIRST_SESSION_CONTEXT);
    return data;
  }

  clear(): void {
    this.legs.fill(undefined, 0, this.count);
    this.count = 0;
    this.#end = EGRESS_CAPACITY * DESCRIPTOR_BYTES;
  }

  #describe(index: number, data: number, length: number, context: number): void {
    const { words } = this;
    const at = index * DESCRIPTOR_WORDS;
    if (this.cleanDescriptors <= index) {
      words.fill(0, at, at + DESCRIPTOR_WORDS);
      if (this.cleanDescriptors === index) this.cleanDescriptors = index + 1;
    }
    words[at + Word.data] = data;
    words[at + Word.length] = length | (length << 16);
    words[at + Word.session] = context;
    words[at + Word.flags] = 0;
  }
}
