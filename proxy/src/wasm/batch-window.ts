// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type Batch, DESCRIPTOR_BYTES, DESCRIPTOR_WORDS, Word } from "../datapath/batch.ts";
import { ADDRESS_BYTES, BATCH_BYTES, BatchField, BatchFlag, Stage } from "./abi.ts";
import { AddressTable } from "./address-table.ts";
import { ByteViews } from "./byte-views.ts";
import { copyPayload, copyWords } from "./copy-bytes.ts";
import type { FilterClock } from "./filter-clock.ts";
import type { FilterEnvironment } from "./filter-environment.ts";
import type { GuestMemory } from "./guest-memory.ts";
import type { PluginInfo } from "./plugin-info.ts";

/** Where the filter runs, as its environment says. */
type Place = Pick<FilterEnvironment, "stage" | "local">;

/** Descriptors and slots begin on cache lines. */
const LINE_BYTES = 64;

/** A batch stays below this, whatever slots and count a filter asks for. */
const MAX_ARENA_BYTES = 4 * 1024 * 1024;

/** Fewer descriptors are copied faster word by word than through a view. */
const MIN_BULK_COUNT = 8;

/** A window as filters that look at RTP headers have it. */
const HEADER_BYTES = 16;

/** The flags that come from the host, with TOS and TTL; the filter's own start cleared. */
export const HOST_FLAGS_MASK = 0xffff_00ff;

/**
 * Where one filter instance sees datagrams: an `msm_batch`, its descriptors and one slot per datagram, allocated
 * once in the guest's memory. Payloads are copied as far as the filter's window reaches.
 */
export class BatchWindow {
  /** Address of the `msm_batch`. */
  readonly address: number;
  /** The most datagrams per call. */
  readonly capacity: number;
  /** The most datagrams that the filter may add in one call. */
  readonly emitCapacity: number;
  /** The most bytes of one of those. */
  readonly emitBytes: number;
  readonly headroomBytes: number;
  /** The most bytes of a datagram that the filter sees. */
  readonly windowBytes: number;
  /** Index of the first word of descriptor 0 in the guest; the others follow. */
  readonly firstWord: number;
  /**
   * Address behind the headroom of slot 0; the others follow every `strideBytes`. A payload begins there, or up
   * to three bytes later: it keeps the remainder by 4 of its address in the ring, so that words can be copied.
   */
  readonly firstSlot: number;
  readonly strideBytes: number;
  readonly #memory: GuestMemory;
  // The call under way; there is none where the batch is null.
  #batch: Batch | null = null;
  #live: Uint32Array = new Uint32Array(0);
  #start = 0;
  #count = 0;
  /** So many guest descriptors have zero behind the receive time, unless the guest said what is not so or wrote to its inputs. */
  #cleanCount = 0;

  readonly #views = new ByteViews();

  /** What a filter at stage LISTENER sees of addresses; null at others. */
  readonly #addresses: AddressTable | null;

  /** Allocates in the guest. Throws FilterFailure where it gives no memory. */
  constructor(memory: GuestMemory, info: PluginInfo, { stage, local }: Place = {}) {
    this.#memory = memory;
    this.windowBytes = Math.min(info.windowBytes, 0xffff);
    this.headroomBytes = (info.headroomBytes + 3) & ~3;
    // Three bytes for the remainder by 4.
    this.emitBytes =
      info.emitCapacity === 0 ? 0 : Math.max(this.windowBytes, Math.min(info.slotBytes, 0xffff));
    this.strideBytes = alignToLine(this.headroomBytes + Math.max(this.windowBytes, this.emitBytes) + 3);
    const perDatagram = DESCRIPTOR_BYTES + this.strideBytes;
    const room = Math.max(2, Math.floor(MAX_ARENA_BYTES / perDatagram));
    this.capacity = Math.max(1, Math.min(info.maxBatch, room >>> (info.emitCapacity === 0 ? 0 : 1)));
    this.emitCapacity = Math.min(info.emitCapacity, room - this.capacity);
    const descriptorCount = this.capacity + this.emitCapacity;
    const isAtListener = stage === Stage.Listener;
    const addressBytes = isAtListener ? alignToLine(this.capacity * ADDRESS_BYTES) : 0;
    const size = BATCH_BYTES + descriptorCount * perDatagram + addressBytes;
    this.address = alignToLine(memory.allocate(size + LINE_BYTES - 1));
    const descriptors = this.address + BATCH_BYTES;
    const addresses = descriptors + descriptorCount * DESCRIPTOR_BYTES;
    const slots = addresses + addressBytes;
    this.firstWord = descriptors >>> 2;
    this.firstSlot = slots + this.headroomBytes;
    this.#writeHeader(descriptors, slots);
    this.#addresses = isAtListener ? new AddressTable(memory, addresses, local) : null;
  }

  /** Copies the datagrams `live[start..start+count)` of the batch, descriptors and window, into the guest. */
  copyIn(batch: Batch, live: Uint32Array, start: number, count: number, clock: FilterClock): void {
    const memory = this.#memory;
    memory.bind();
    this.#views.begin(batch.bytes);
    this.#batch = batch;
    this.#live = live;
    this.#start = start;
    this.#count = count;
    // Neighbours, as they are until a filter drops one.
    const isRun = live[start + count - 1]! - live[start]! === count - 1;
    const isClean = isRun && live[start]! + count <= batch.cleanDescriptors && this.emitCapacity === 0;
    if (isClean && count <= this.#cleanCount) this.#copyClean(batch, live[start]!, count);
    else this.#copyAll(batch, live, start, count, isRun);
    if (!isClean) this.#cleanCount = 0;
    else if (this.#cleanCount < count) this.#cleanCount = count;
    this.#addresses?.write(batch, live, start, count, this.firstWord + Word.addresses);
    this.#writeTurn(count, clock);
  }

  /**
   * The usual case, for filters that only look or write to payloads: nothing but what came with the datagrams has to be
   * written, for the guest left the rest as it was. If it said so and did not, it has deceived nobody but itself.
   */
  #copyClean(batch: Batch, first: number, count: number): void {
    const memory = this.#memory;
    const guest = memory.words;
    const host = batch.words;
    const { windowBytes, strideBytes } = this;
    let h = (batch.descriptors >>> 2) + first * DESCRIPTOR_WORDS;
    let slot = this.firstSlot;
    let g = this.firstWord;
    for (let k = 0; k < count; k++, h += DESCRIPTOR_WORDS, g += DESCRIPTOR_WORDS, slot += strideBytes) {
      const data = host[h + Word.data]!;
      const length = host[h + Word.length]!;
      const available = Math.min(length >>> 16, windowBytes);
      const at = slot + (data & 3);
      guest[g + Word.data] = at;
      guest[g + Word.length] = (length & 0xffff) | (available << 16);
      guest[g + Word.session] = host[h + Word.session]!;
      guest[g + Word.flags] = host[h + Word.flags]!;
      guest[g + Word.rxLow] = host[h + Word.rxLow]!;
      guest[g + Word.rxHigh] = host[h + Word.rxHigh]!;
      if (available !== HEADER_BYTES || (data & 3) !== 0) {
        copyPayload(memory, at, batch, data, available, this.#views);
        continue;
      }
      // A loop over so few words costs as much again as they do.
      const to = at >>> 2;
      const from = data >>> 2;
      guest[to] = host[from]!;
      guest[to + 1] = host[from + 1]!;
      guest[to + 2] = host[from + 2]!;
      guest[to + 3] = host[from + 3]!;
    }
  }

  #copyAll(batch: Batch, live: Uint32Array, start: number, count: number, isRun: boolean): void {
    this.#copyDescriptors(batch, live, start, count, isRun);
    const guest = this.#memory.words;
    const host = batch.words;
    const base = batch.descriptors >>> 2;
    let slot = this.firstSlot;
    let g = this.firstWord;
    for (let k = 0; k < count; k++, g += DESCRIPTOR_WORDS, slot += this.strideBytes) {
      const h = base + live[start + k]! * DESCRIPTOR_WORDS;
      const data = host[h + Word.data]!;
      const length = host[h + Word.length]!;
      const available = Math.min(length >>> 16, this.windowBytes);
      const at = slot + (data & 3);
      guest[g + Word.data] = at;
      guest[g + Word.length] = (length & 0xffff) | (available << 16);
      // The other out fields are 0 in the ring: no result is put there that the next filter must not see.
      guest[g + Word.flags] = guest[g + Word.flags]! & HOST_FLAGS_MASK;
      copyPayload(this.#memory, at, batch, data, available, this.#views);
    }
  }

  /** Whether the guest says that it changed no descriptor, so that none has to be read. Believing it costs nobody. */
  get isUnchanged(): boolean {
    return (this.#memory.words[(this.address + BatchField.flags) >>> 2]! & BatchFlag.Unchanged) !== 0;
  }

  /** The guest wrote to descriptors behind the receive time: all of each is written again for the next call. */
  noteTraces(): void {
    this.#cleanCount = 0;
  }

  /**
   * Copies bytes of datagram `index` of the call under way, also those beyond the window, to `to` in the guest, which
   * the caller has checked. Returns false where there is no such datagram or it has no such bytes.
   */
  read(index: number, offset: number, to: number, length: number): boolean {
    const batch = this.#batch;
    if (batch === null || index >= this.#count) return false;
    const h = (batch.descriptors >>> 2) + this.#live[this.#start + index]! * DESCRIPTOR_WORDS;
    if (offset + length > batch.words[h + Word.length]! >>> 16) return false;
    const data = batch.words[h + Word.data]! + offset;
    this.#memory.bytes.set(batch.bytes.subarray(data, data + length), to);
    return true;
  }

  /** The call is over: datagrams can no longer be read. */
  end(): void {
    this.#batch = null;
  }

  /** Makes an empty batch, for calls that may only add datagrams. */
  clear(clock: FilterClock): void {
    this.#memory.bind();
    this.#writeTurn(0, clock);
  }

  /** Datagrams that the guest says it added. */
  emitted(): number {
    return this.#memory.words[(this.address + BatchField.emitted) >>> 2]!;
  }

  #copyDescriptors(batch: Batch, live: Uint32Array, start: number, count: number, isRun: boolean): void {
    const base = batch.descriptors >>> 2;
    const to = this.firstWord;
    const guest = this.#memory.words;
    if (isRun && count >= MIN_BULK_COUNT) {
      const from = base + live[start]! * DESCRIPTOR_WORDS;
      guest.set(batch.words.subarray(from, from + count * DESCRIPTOR_WORDS), to);
      return;
    }
    for (let k = 0; k < count; k++) {
      const from = base + live[start + k]! * DESCRIPTOR_WORDS;
      copyWords(guest, to + k * DESCRIPTOR_WORDS, batch.words, from, DESCRIPTOR_WORDS);
    }
  }

  #writeHeader(descriptors: number, slots: number): void {
    const set = (offset: number, value: number) => this.#memory.writeU32(this.address + offset, value);
    this.#memory.bytes.fill(0, this.address, this.address + BATCH_BYTES);
    set(BatchField.structSize, BATCH_BYTES);
    set(BatchField.descSize, DESCRIPTOR_BYTES);
    set(BatchField.capacity, this.capacity + this.emitCapacity);
    set(BatchField.descs, descriptors);
    set(BatchField.slots, slots);
    set(BatchField.slotSize, this.strideBytes);
    set(BatchField.headroom, this.headroomBytes);
  }

  /** The descriptors behind the batch: empty, each with its slot. */
  #clearRoom(count: number): void {
    const words = this.#memory.words;
    const first = this.firstWord + count * DESCRIPTOR_WORDS;
    words.fill(0, first, first + this.emitCapacity * DESCRIPTOR_WORDS);
    for (let k = count; k < count + this.emitCapacity; k++) {
      words[this.firstWord + k * DESCRIPTOR_WORDS + Word.data] = this.firstSlot + k * this.strideBytes;
    }
  }

  #writeTurn(count: number, clock: FilterClock): void {
    const words = this.#memory.words;
    if (this.emitCapacity > 0) this.#clearRoom(count);
    const batch = this.address >>> 2;
    words[batch + BatchField.count / 4] = count;
    words[batch + BatchField.nowNs / 4] = clock.nowLow;
    words[batch + BatchField.nowNs / 4 + 1] = clock.nowHigh;
    words[batch + BatchField.wallNs / 4] = clock.wallLow;
    words[batch + BatchField.wallNs / 4 + 1] = clock.wallHigh;
    words[batch + BatchField.emitted / 4] = 0;
    words[batch + BatchField.flags / 4] = 0;
  }
}

function alignToLine(bytes: number): number {
  return (bytes + LINE_BYTES - 1) & -LINE_BYTES;
}
