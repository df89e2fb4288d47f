// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type Batch, DESCRIPTOR_BYTES, DESCRIPTOR_WORDS, Flag, Word } from "../../datapath/batch.ts";
import { writeSockaddr } from "../../datapath/sockaddr.ts";
import type { SocketAddress } from "../../plan.ts";
import { FIRST_SESSION_CONTEXT } from "../abi.ts";

/** A datagram to put into a batch. */
export interface StagedDatagram {
  readonly payload: Uint8Array;
  /** Index of the session; 0 unless said. */
  readonly session?: number;
  readonly upstream?: boolean;
  /** Kernel receive time, wall clock; 0 unless said. */
  readonly rxNs?: bigint;
  /** Where it comes from, as filters at stage LISTENER see it. */
  readonly source?: SocketAddress;
}

const LINE_BYTES = 64;
/** A `struct sockaddr`, padded. */
const SOURCE_BYTES = 32;

/** A batch in memory of its own, as the I/O of a worker would fill it: for tests of filters. */
export class MemoryBatch implements Batch {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly descriptors = LINE_BYTES;
  readonly capacity: number;
  readonly headroom: number;
  count = 0;
  cleanDescriptors = 0;
  readonly #strideBytes: number;
  readonly #sources: number;

  constructor(capacity = 64, payloadBytes = 2_048, headroom = 128) {
    this.capacity = capacity;
    this.headroom = headroom;
    this.#strideBytes = (headroom + payloadBytes + LINE_BYTES - 1) & -LINE_BYTES;
    this.#sources = LINE_BYTES + capacity * (DESCRIPTOR_BYTES + this.#strideBytes);
    this.bytes = new Uint8Array(this.#sources + capacity * SOURCE_BYTES);
    this.words = new Uint32Array(this.bytes.buffer);
  }

  /** Replaces the batch by these datagrams. `shift` bytes lie between each slot's headroom and its payload. */
  stage(datagrams: readonly StagedDatagram[], shift = 0): void {
    this.count = datagrams.length;
    datagrams.forEach((datagram, i) => {
      const word = this.#word(i);
      const data = this.#slot(i) + shift;
      const { length } = datagram.payload;
      const rxNs = datagram.rxNs ?? 0n;
      this.words.fill(0, word, word + DESCRIPTOR_WORDS);
      this.words[word + Word.data] = data;
      this.words[word + Word.length] = length | (length << 16);
      this.words[word + Word.session] = (datagram.session ?? 0) + FIRST_SESSION_CONTEXT;
      this.words[word + Word.flags] = datagram.upstream === true ? Flag.UpstreamDirection : 0;
      this.words[word + Word.rxLow] = Number(rxNs & 0xffff_ffffn);
      this.words[word + Word.rxHigh] = Number(rxNs >> 32n);
      this.bytes.set(datagram.payload, data);
      if (datagram.source) writeSockaddr(this.bytes, this.sourceOf(i), datagram.source);
    });
  }

  sourceOf(index: number): number {
    return this.#sources + index * SOURCE_BYTES;
  }

  /** A word of descriptor `i`. */
  word(i: number, field: number): number {
    return this.words[this.#word(i) + field] ?? 0;
  }

  /** Changes a word of descriptor `i`. */
  setWord(i: number, field: number, value: number): void {
    this.words[this.#word(i) + field] = value;
  }

  action(i: number): number {
    return this.word(i, Word.action) & 0xff;
  }

  reason(i: number): number {
    return (this.word(i, Word.action) >>> 8) & 0xff;
  }

  /** A copy of the payload of datagram `i`, as it would be sent. */
  payload(i: number): Uint8Array {
    const data = this.word(i, Word.data);
    return this.bytes.slice(data, data + (this.word(i, Word.length) & 0xffff));
  }

  #word(i: number): number {
    return (this.descriptors >>> 2) + i * DESCRIPTOR_WORDS;
  }

  #slot(i: number): number {
    const slots = this.descriptors + this.capacity * DESCRIPTOR_BYTES;
    return slots + i * this.#strideBytes + this.headroom;
  }
}
