// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { MOST_COPIED } from "../io/copy-sender.ts";

/** Words of the ring's head, each in a cache line of its own: two threads write to them. */
const Head = { written: 0, read: 16, armed: 32, dropped: 48 } as const;
const HEAD_BYTES = 256;

/** Before each entry: a word that its kind explains, and one with length, channel and kind. Entries begin at multiples of it. */
const ENTRY_HEAD_BYTES = 8;
/** In place of the second word: the rest of the memory up to its end is unused. */
const SKIP = 0xffff_ffff;
const MOST_ENTRY_BYTES = 0xffff;

/** What an entry is. The first word is a connection, or of `Shared` the packet's place among those shared. */
const Kind = {
  /** A packet for one connection. */
  Packet: 0,
  /** A packet for those whose entries follow; place 0 begins new ones. */
  Shared: 1,
  /** A connection that gets some of the shared packets, each with a header of its own. */
  Copies: 2,
  /** A connection that gets all shared packets as they are. */
  All: 3,
} as const;

/** Of `Copies`, for each packet: the place of the shared one in a word, and the bytes that stand in place of its first. */
const COPY_BYTES = 16;
const COPY_HEADER = 4;

/** How many first bytes of a shared packet its receivers have of their own: an RTP header. */
export const OWN_HEADER_BYTES = COPY_BYTES - COPY_HEADER;
/** How many packets can be shared at once: a batch. An entry of `Copies` for all of them is below `MOST_ENTRY_BYTES`. */
export const MOST_SHARED = MOST_COPIED;

/** Room for 100 ms of 300 Mbit/s in packets for one, and for the key frames of many cameras at once. A ring that nobody reads fills up and stays at that. */
export const DEFAULT_RING_BYTES = 1 << 22;

/** Shared memory for a ring with room for `bytes`, a power of two, of packets and their heads. */
export function createInterleavedRing(bytes: number = DEFAULT_RING_BYTES): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(HEAD_BYTES + bytes);
  // Nobody is awake yet: the first packet has to ring.
  new Int32Array(memory)[Head.armed] = 1;
  return memory;
}

/**
 * A queue of whole packets from one thread to another, in shared memory: what travels interleaved in connections
 * (RFC 2326 section 10.12) crosses it between a signalling worker and a datapath worker. There is one writer and one
 * reader; either may be replaced by a successor, which goes on where the shared memory says. Bounded: a packet that
 * does not fit is dropped as a whole and counted, once for each connection that should have had it.
 *
 * Writer: `write` (or `reserve`, then fill) any number of packets, then `publish`, which says whether the bell has to be
 * rung. A packet for many connections is written once by `share`; then `reserveCopies` or `copyAll` for each of them,
 * all before `publish`. Reader: `next` finds one packet for one connection at a time, in whichever way it was written,
 * until it returns false; it then has armed the bell.
 */
export class InterleavedRing {
  /** The memory, for whoever fills or reads packets in place; they begin at multiples of 8. */
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  /** Of the packet that `next` found: its connection, channel, and where it stands in `bytes`. */
  connection = 0;
  channel = 0;
  start = 0;
  length = 0;
  /** Where the `OWN_HEADER_BYTES` stand that take the place of the packet's first; -1 where it is as it stands. */
  header = -1;
  readonly #head: Int32Array;
  readonly #mask: number;
  #written: number;
  #read: number;
  /** Shared packets that were read: where they stand, and how many there are. Their room is not given back yet. */
  readonly #sharedStart = new Uint32Array(MOST_SHARED);
  readonly #sharedLength = new Uint32Array(MOST_SHARED);
  #shared = 0;
  /** Copies that the current connection still gets, and where the next is described, or its place for `All`. */
  #copies = 0;
  #copyAt = 0;
  #copiesAll = false;

  /** `memory` is what `createInterleavedRing` made. */
  constructor(memory: SharedArrayBuffer) {
    this.bytes = new Uint8Array(memory);
    this.words = new Uint32Array(memory);
    this.#head = new Int32Array(memory, 0, HEAD_BYTES / 4);
    this.#mask = memory.byteLength - HEAD_BYTES - 1;
    this.#written = Atomics.load(this.#head, Head.written);
    this.#read = Atomics.load(this.#head, Head.read);
  }

  /** Packets that did not fit or were for nobody, since the ring was made. */
  get dropped(): number {
    return Atomics.load(this.#head, Head.dropped);
  }

  /** Appends a copy of `from[start, end)`. Returns false where it was dropped. */
  write(connection: number, channel: number, from: Uint8Array, start = 0, end = from.length): boolean {
    const to = this.reserve(connection, channel, end - start);
    if (to < 0) return false;
    this.bytes.set(from.subarray(start, end), to);
    return true;
  }

  /**
   * Appends a packet of `length` bytes, which the caller fills before `publish`, and returns where in `bytes` it stands;
   * -1 where it was dropped. `connection` has 32 bits, `channel` 8.
   */
  reserve(connection: number, channel: number, length: number): number {
    const to = this.#append(Kind.Packet, connection, channel, length);
    if (to < 0) this.drop(1);
    return to;
  }

  /**
   * Appends a packet of `length` bytes for connections that are named next, and returns where in `bytes` the caller
   * fills it in; -1 where there is no room, and nothing is counted: nobody knows yet for how many it was. `place` is
   * below `MOST_SHARED`; 0 begins new packets, each that was appended is followed by the next number.
   */
  share(place: number, length: number): number {
    return this.#append(Kind.Shared, place, 0, length);
  }

  /** Appends a connection that gets `count` of the shared packets: the caller sets each by `setCopy`. -1 where they were dropped. */
  reserveCopies(connection: number, channel: number, count: number): number {
    const to = this.#append(Kind.Copies, connection, channel, count * COPY_BYTES);
    if (to < 0) this.drop(count);
    return to;
  }

  /** Says which shared packet the copy with the number `index` is of, and its header, which stands at `at` of `headers`. */
  setCopy(copies: number, index: number, place: number, headers: Uint8Array, at: number): void {
    const to = copies + index * COPY_BYTES;
    this.words[to >> 2] = place;
    const { bytes } = this;
    for (let i = 0; i < OWN_HEADER_BYTES; i++) bytes[to + COPY_HEADER + i] = headers[at + i]!;
  }

  /** Appends a connection that gets all `count` packets that are shared now. Returns false where they were dropped. */
  copyAll(connection: number, channel: number, count: number): boolean {
    if (this.#append(Kind.All, connection, channel, 0) >= 0) return true;
    this.drop(count);
    return false;
  }

  /** Shows the reader what was appended. Returns whether the reader sleeps and its bell has to be rung. */
  publish(): boolean {
    if (Atomics.load(this.#head, Head.written) === this.#written) return false;
    Atomics.store(this.#head, Head.written, this.#written);
    return Atomics.exchange(this.#head, Head.armed, 0) === 1;
  }

  /**
   * Gives back the room of the packet found last, or of shared ones once others came, and finds the next. Where it
   * returns false there is none, and the bell will be rung for the next; the reader need not look before.
   */
  next(): boolean {
    while (this.#copies === 0) {
      if (this.#shared === 0) Atomics.store(this.#head, Head.read, this.#read);
      if (this.#isEmpty()) {
        if (!this.#rest()) return false;
        continue;
      }
      if (this.#take()) return true;
    }
    this.#copies--;
    let place = this.#copyAt;
    if (this.#copiesAll) this.#copyAt++;
    else {
      place = this.words[this.#copyAt >> 2]!;
      this.header = this.#copyAt + COPY_HEADER;
      this.#copyAt += COPY_BYTES;
    }
    this.start = this.#sharedStart[place]!;
    this.length = this.#sharedLength[place]!;
    return true;
  }

  /** So many packets were dropped, or the packet found last is for nobody. */
  drop(count: number): void {
    if (count > 0) Atomics.add(this.#head, Head.dropped, count);
  }

  /** Appends an entry and returns where its bytes begin; -1 where there is no room. */
  #append(kind: number, first: number, channel: number, length: number): number {
    const needed = entryBytes(length);
    const size = this.#mask + 1;
    const at = this.#written & this.#mask;
    const skipped = at + needed > size ? size - at : 0;
    const used = (this.#written - Atomics.load(this.#head, Head.read)) >>> 0;
    if (length > MOST_ENTRY_BYTES || used + skipped + needed > size) return -1;
    if (skipped > 0) this.words[this.#wordAt(at) + 1] = SKIP;
    const word = this.#wordAt(skipped > 0 ? 0 : at);
    this.words[word] = first;
    this.words[word + 1] = length | (channel << 16) | (kind << 24);
    this.#written = (this.#written + skipped + needed) | 0;
    return word * 4 + ENTRY_HEAD_BYTES;
  }

  /** Reads one entry. Returns whether it is a packet for one connection. */
  #take(): boolean {
    let at = this.#read & this.#mask;
    if (this.words[this.#wordAt(at) + 1] === SKIP) {
      this.#read = (this.#read + this.#mask + 1 - at) | 0;
      at = 0;
    }
    const word = this.#wordAt(at);
    const first = this.words[word]!;
    const described = this.words[word + 1]!;
    const kind = described >>> 24;
    const length = described & 0xffff;
    const start = word * 4 + ENTRY_HEAD_BYTES;
    if (kind === Kind.Shared) this.#takeShared(first, start, length);
    else {
      this.connection = first;
      this.channel = (described >>> 16) & 0xff;
      this.header = -1;
      this.start = start;
      this.length = length;
      // A packet for one ends those that were shared before.
      if (kind === Kind.Packet) this.#shared = 0;
      else this.#beginCopies(kind === Kind.All, start, length);
    }
    this.#read = (this.#read + entryBytes(length)) | 0;
    return kind === Kind.Packet;
  }

  #takeShared(place: number, start: number, length: number): void {
    // The room of those before, whose receivers all had them.
    if (place === 0) Atomics.store(this.#head, Head.read, this.#read);
    this.#sharedStart[place] = start;
    this.#sharedLength[place] = length;
    this.#shared = place + 1;
  }

  #beginCopies(isAll: boolean, start: number, length: number): void {
    this.#copiesAll = isAll;
    this.#copies = isAll ? this.#shared : length / COPY_BYTES;
    this.#copyAt = isAll ? 0 : start;
  }

  /** Nothing is there: what was shared has found all its receivers. Returns whether something came meanwhile. */
  #rest(): boolean {
    this.#shared = 0;
    Atomics.store(this.#head, Head.read, this.#read);
    Atomics.store(this.#head, Head.armed, 1);
    // What came in between would not ring: the writer saw a reader that was awake.
    if (this.#isEmpty()) return false;
    Atomics.store(this.#head, Head.armed, 0);
    return true;
  }

  #isEmpty(): boolean {
    return Atomics.load(this.#head, Head.written) === this.#read;
  }

  #wordAt(position: number): number {
    return (HEAD_BYTES + position) >> 2;
  }
}

function entryBytes(length: number): number {
  return (ENTRY_HEAD_BYTES + length + ENTRY_HEAD_BYTES - 1) & -ENTRY_HEAD_BYTES;
}
