// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Action, type Batch, DESCRIPTOR_BYTES, DESCRIPTOR_WORDS, Flag, Word } from "./batch.ts";
import { LOCAL_ADDRESS } from "./local-address.ts";

/** Receive slots, one per message of a `recvmmsg`. Larger batches gain nothing measurable and cost cache. */
export const SLOTS = 64;
/** Room in a slot: the largest UDP datagram, and the largest run of datagrams that UDP_GRO hands over. */
export const SLOT_BYTES = 65_536;
const HEADROOM_BYTES = 128;
/** Not a power of two: the first lines of all slots would meet in the same cache sets. 22 lines, headroom included, hold one media datagram. */
const SLOT_STRIDE = HEADROOM_BYTES + SLOT_BYTES + 20 * 64;
/** Every slot full: a sender may put 128 datagrams into one segmented send (UDP_MAX_SEGMENTS), and loopback keeps it whole. */
const DESCRIPTORS = SLOTS * 128;
/** A source address (SOCKADDR_BYTES), padded to a power of two. */
const NAME_STRIDE = 32;
/** A local address (LOCAL_WORDS), padded likewise. */
const LOCAL_STRIDE = 32;
const PAGE_BYTES = 65_536;

/** What becomes of the datagrams of a slot. */
export const SlotState = {
  /** All of them go on as they came: nobody has to look at them one by one. */
  Whole: 0,
  /** Each as its descriptor says. */
  Apart: 1,
  /** None goes on. */
  Dropped: 2,
} as const;

/**
 * The memory of a worker: receive slots, descriptors, source and local address of each slot and room for an I/O
 * backend's own structures. It is not shared, because copies out of shared memory cost two to three times as
 * much, and never grows, because native code keeps its address.
 */
export class Ring implements Batch {
  readonly memory: WebAssembly.Memory;
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly descriptors: number;
  readonly capacity = DESCRIPTORS;
  readonly headroom = HEADROOM_BYTES;
  count = 0;
  cleanDescriptors = 0;

  /** How many slots hold something. */
  slots = 0;
  /** By slot: the first descriptor, how many there are, whether they are written, and the bytes received. */
  readonly firstDescriptor = new Uint32Array(SLOTS);
  readonly descriptorCount = new Uint32Array(SLOTS);
  readonly slotIsDescribed = new Uint8Array(SLOTS);
  readonly slotLength = new Uint32Array(SLOTS);
  /** By slot: the length of each datagram but the last, which may be shorter. */
  readonly slotSegment = new Uint32Array(SLOTS);
  /** By slot: one of SlotState. */
  readonly slotState = new Uint8Array(SLOTS);
  /** By slot: the session, or -1 where none was found. Set by the core, or by the backend for upstream sockets. */
  readonly session = new Int32Array(SLOTS);
  /** By slot: 1 where the backend knows to which of several local addresses its datagrams were sent. */
  readonly slotHasLocal = new Uint8Array(SLOTS);

  /** Byte offset of the room that the backend asked for. */
  readonly backendArea: number;
  readonly #names: number;
  readonly #locals: number;
  readonly #payloads: number;
  readonly #flags = new Uint32Array(SLOTS);
  readonly #rxLow = new Uint32Array(SLOTS);
  readonly #rxHigh = new Uint32Array(SLOTS);

  constructor(backendBytes = 0) {
    this.descriptors = 64;
    this.#names = this.descriptors + DESCRIPTORS * DESCRIPTOR_BYTES;
    this.#locals = this.#names + SLOTS * NAME_STRIDE;
    this.backendArea = this.#locals + SLOTS * LOCAL_STRIDE;
    this.#payloads = alignUp(this.backendArea + backendBytes, 64) + HEADROOM_BYTES;
    const pages = Math.ceil((this.#payloads + SLOTS * SLOT_STRIDE) / PAGE_BYTES);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.bytes = new Uint8Array(this.memory.buffer);
    this.words = new Uint32Array(this.memory.buffer);
  }

  /** Byte offset of the payload of `slot`. */
  payload(slot: number): number {
    return this.#payloads + slot * SLOT_STRIDE;
  }

  /** Byte offset of the source address of `slot`: a `struct sockaddr_in` or `sockaddr_in6`. */
  name(slot: number): number {
    return this.#names + slot * NAME_STRIDE;
  }

  /** Byte offset of the room for the local address of `slot`, in the form of `local-address.ts`. */
  local(slot: number): number {
    return this.#locals + slot * LOCAL_STRIDE;
  }

  /** Word offset of the local address that the datagrams of `slot` were sent to, or -1 where there is no choice of them. */
  localWord(slot: number): number {
    return this.slotHasLocal[slot] === 0 ? -1 : this.local(slot) >> 2;
  }

  /**
   * Fills the next slot, whose payload is in place: one datagram, or a run of them of `segment` bytes each. `flags` and the
   * time, in nanoseconds as two words, hold for all of them. Their descriptors get their places and are not written yet.
   */
  add(length: number, segment: number, flags: number, rxLow: number, rxHigh: number): void {
    const slot = this.slots++;
    const count = segment < length ? Math.ceil(length / segment) : 1;
    this.firstDescriptor[slot] = this.count;
    this.descriptorCount[slot] = count;
    this.slotIsDescribed[slot] = 0;
    this.slotLength[slot] = length;
    this.slotSegment[slot] = segment;
    this.slotState[slot] = SlotState.Whole;
    this.#flags[slot] = flags;
    this.#rxLow[slot] = rxLow;
    this.#rxHigh[slot] = rxHigh;
    this.count += count;
  }

  /** When the datagrams of a slot came, in milliseconds of the wall clock with their fraction. */
  receiveTimeMs(slot: number): number {
    return (this.#rxHigh[slot]! * 0x1_0000_0000 + this.#rxLow[slot]!) / 1e6;
  }

  /** Writes the descriptors of a slot, for whoever looks at datagrams one by one; `context` is that of its session. */
  describe(slot: number, context: number): void {
    const { words } = this;
    const segment = this.slotSegment[slot]!;
    const flags = this.#flags[slot]!;
    const rxLow = this.#rxLow[slot]!;
    const rxHigh = this.#rxHigh[slot]!;
    const first = this.firstDescriptor[slot]!;
    const end = first + this.descriptorCount[slot]!;
    const isDropped = this.slotState[slot] === SlotState.Dropped;
    if (isDropped || this.cleanDescriptors < end) this.#clear(first, end, isDropped);
    let data = this.payload(slot);
    let left = this.slotLength[slot]!;
    let at = (this.descriptors >> 2) + first * DESCRIPTOR_WORDS;
    // An empty datagram is one too.
    do {
      const bytes = left < segment ? left : segment;
      words[at + Word.data] = data;
      words[at + Word.length] = bytes | (bytes << 16);
      words[at + Word.session] = context;
      words[at + Word.flags] = flags;
      words[at + Word.rxLow] = rxLow;
      words[at + Word.rxHigh] = rxHigh;
      at += DESCRIPTOR_WORDS;
      data += bytes;
      left -= bytes;
    } while (left > 0);
    this.slotIsDescribed[slot] = 1;
  }

  /**
   * Puts a session into the descriptors of a slot that filters at stage LISTENER have seen, whose verdicts have been read.
   * What they say else, of payload, mark and user, stays. A slot that was dropped since goes no further.
   */
  assign(slot: number, context: number): void {
    const { words } = this;
    const isDropped = this.slotState[slot] === SlotState.Dropped;
    let at = (this.descriptors >> 2) + this.firstDescriptor[slot]! * DESCRIPTOR_WORDS;
    const end = at + this.descriptorCount[slot]! * DESCRIPTOR_WORDS;
    for (; at < end; at += DESCRIPTOR_WORDS) {
      words[at + Word.session] = context;
      words[at + Word.flags]! &= ~(Flag.Retarget | Flag.SetKey);
      words[at + Word.target] = 0;
      if (isDropped) words[at + Word.action] = Action.Drop;
    }
    if (isDropped) this.cleanDescriptors = Math.min(this.cleanDescriptors, this.firstDescriptor[slot]!);
  }

  sourceOf(index: number): number {
    return this.name(this.#slotOf(index));
  }

  localOf(index: number): number {
    const local = this.localWord(this.#slotOf(index));
    return local < 0 ? -1 : local * 4 + LOCAL_ADDRESS;
  }

  #slotOf(index: number): number {
    let slot = Math.min(index, this.slots - 1);
    // Where each slot holds one datagram, as it does without UDP_GRO, this is it already.
    while (this.firstDescriptor[slot]! > index) slot--;
    return slot;
  }

  /** Writes the fields behind the receive time. */
  #clear(first: number, end: number, isDropped: boolean): void {
    const base = this.descriptors >> 2;
    for (let index = first; index < end; index++) {
      const at = base + index * DESCRIPTOR_WORDS;
      this.words.fill(0, at + Word.action, at + DESCRIPTOR_WORDS);
      if (isDropped) this.words[at + Word.action] = Action.Drop;
    }
    if (isDropped) this.cleanDescriptors = Math.min(this.cleanDescriptors, first);
    else if (this.cleanDescriptors >= first) this.cleanDescriptors = end;
  }

  /** Forgets what the batch held. */
  clear(): void {
    this.count = 0;
    this.slots = 0;
  }
}

/** `value` rounded up to a multiple of `to`, a power of two. */
export function alignUp(value: number, to: number): number {
  return (value + to - 1) & -to;
}
