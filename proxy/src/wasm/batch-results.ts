// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Action, type Batch, DESCRIPTOR_WORDS, Flag, Word } from "../datapath/batch.ts";
import { FIRST_HOST_REASON } from "./abi.ts";
import type { BatchWindow } from "./batch-window.ts";
import { copyBytes } from "./copy-bytes.ts";
import type { DropReasons } from "./drop-reasons.ts";
import { FilterFailure } from "./filter-failure.ts";
import type { GuestMemory } from "./guest-memory.ts";

/** Flags of the ABI that this host does not serve yet. */
const RESERVED_FLAGS = Flag.Retarget | Flag.TxTime | Flag.SetKey;

/**
 * Takes back what a filter said of the datagrams in its window, in two steps: first everything is checked, then
 * everything is put into effect. A filter that breaks the ABI in the last descriptor has changed nothing.
 */
export class BatchResults {
  readonly #memory: GuestMemory;
  readonly #window: BatchWindow;
  readonly #reasons: DropReasons;

  constructor(memory: GuestMemory, window: BatchWindow, reasons: DropReasons) {
    this.#memory = memory;
    this.#window = window;
    this.#reasons = reasons;
  }

  /**
   * Checks every out field. Returns whether there is anything to put into effect. Throws FilterFailure.
   * `origins` holds, per descriptor of the batch, the address of the payload when the chain began.
   */
  check(batch: Batch, live: Uint32Array, start: number, count: number, origins: Uint32Array): boolean {
    if (this.#window.emitted() !== 0) throw new FilterFailure("unsupported_action", "emitted must be 0");
    const guest = this.#memory.words;
    const host = batch.words;
    const base = batch.descriptors >>> 2;
    let slot = this.#window.firstSlot;
    let g = this.#window.firstWord;
    let changed = 0;
    for (let k = 0; k < count; k++, g += DESCRIPTOR_WORDS, slot += this.#window.strideBytes) {
      const index = live[start + k]!;
      const h = base + index * DESCRIPTOR_WORDS;
      const action = guest[g + Word.action]!;
      const flags = guest[g + Word.flags]!;
      if (action !== Action.Continue || (flags & RESERVED_FLAGS) !== 0) checkAction(action, flags, k);
      const hostData = host[h + Word.data]!;
      const moved = guest[g + Word.data]! - slot - (hostData & 3);
      const lengthChange = (guest[g + Word.length]! ^ host[h + Word.length]!) & 0xffff;
      if (moved !== 0 || lengthChange !== 0) {
        this.#checkExtent(batch, h, guest[g + Word.length]! & 0xffff, moved, origins[index]!, k);
      }
      changed |= (action & 0xff) | (flags ^ (host[h + Word.flags]! & 0xffff_00ff));
      changed |= moved | lengthChange | (guest[g + Word.mark]! ^ host[h + Word.mark]!);
      changed |= guest[g + Word.userLow]! ^ host[h + Word.userLow]!;
      changed |= guest[g + Word.userHigh]! ^ host[h + Word.userHigh]!;
    }
    return changed !== 0;
  }

  /** Puts checked results into the ring. Returns how many datagrams do not go on. */
  apply(batch: Batch, live: Uint32Array, start: number, count: number): number {
    const guest = this.#memory.words;
    const host = batch.words;
    const base = batch.descriptors >>> 2;
    let slot = this.#window.firstSlot;
    let g = this.#window.firstWord;
    let stopped = 0;
    for (let k = 0; k < count; k++, g += DESCRIPTOR_WORDS, slot += this.#window.strideBytes) {
      const h = base + live[start + k]! * DESCRIPTOR_WORDS;
      const verdict = guest[g + Word.action]! & 0xffff;
      host[h + Word.action] = (verdict & 0xff) === Action.Continue ? 0 : verdict;
      host[h + Word.mark] = guest[g + Word.mark]!;
      host[h + Word.userLow] = guest[g + Word.userLow]!;
      host[h + Word.userHigh] = guest[g + Word.userHigh]!;
      if ((verdict & 0xff) !== Action.Continue) {
        stopped++;
        if ((verdict & 0xff) === Action.Drop) this.#reasons.note(verdict >>> 8);
        continue;
      }
      const hostFlags = host[h + Word.flags]! & 0xffff;
      const flags = guest[g + Word.flags]!;
      host[h + Word.flags] = (flags & 0xffff_0000) | hostFlags | (flags & Flag.Dirty);
      this.#takePayload(batch, h, g, slot);
    }
    return stopped;
  }

  /** A datagram may be trimmed at both ends and grow at the front, into headroom; it may not grow at the end. */
  #checkExtent(batch: Batch, h: number, length: number, moved: number, origin: number, k: number): void {
    const host = batch.words;
    const hostData = host[h + Word.data]!;
    const room = Math.min(this.#window.headroomBytes, batch.headroom - (origin - hostData));
    if (moved < -Math.max(0, room)) {
      throw new FilterFailure("bad_output", `datagram ${k}: data is before the headroom`);
    }
    if (moved < 0 && reachesDatagramBefore(batch, h, moved)) {
      throw new FilterFailure("bad_output", `datagram ${k}: the datagram before it leaves no headroom`);
    }
    if (moved + length > (host[h + Word.length]! & 0xffff)) {
      throw new FilterFailure("bad_output", `datagram ${k}: data and len reach beyond the datagram's end`);
    }
  }

  #takePayload(batch: Batch, h: number, g: number, slot: number): void {
    const guest = this.#memory.words;
    const host = batch.words;
    const hostData = host[h + Word.data]!;
    const data = guest[g + Word.data]!;
    const length = guest[g + Word.length]! & 0xffff;
    const moved = data - slot - (hostData & 3);
    const hostLength = host[h + Word.length]!;
    // What was put before the datagram is new in any case.
    const isDirty = (guest[g + Word.flags]! & Flag.Dirty) !== 0 || moved < 0;
    if (!isDirty && moved === 0 && length === (hostLength & 0xffff)) return;
    const available = hostLength >>> 16;
    const present = Math.min(length, available - moved);
    // Not the guest's own `avail`, which it may have overwritten.
    const seen = Math.min(length, Math.min(available, this.#window.windowBytes) - moved);
    host[h + Word.data] = hostData + moved;
    host[h + Word.length] = length | (Math.max(0, present) << 16);
    if (isDirty) copyBytes(batch, hostData + moved, this.#memory, data, seen);
  }
}

function checkAction(actionWord: number, flags: number, k: number): void {
  const action = actionWord & 0xff;
  if (action === Action.Pause || action === Action.Reply || (flags & RESERVED_FLAGS) !== 0) {
    const what = `action ${action}, flags 0x${(flags & 0xffff).toString(16)}`;
    throw new FilterFailure("unsupported_action", `datagram ${k}: ${what} is reserved`);
  }
  if (action !== Action.Continue && action !== Action.Drop && action !== Action.Consume) {
    throw new FilterFailure("bad_output", `datagram ${k}: ${action} is no action`);
  }
  if (((actionWord >>> 8) & 0xff) >= FIRST_HOST_REASON) {
    throw new FilterFailure("bad_output", `datagram ${k}: reasons from ${FIRST_HOST_REASON} are the host's`);
  }
}

/** Datagrams that the kernel handed over as one run (UDP_GRO) follow each other without room between them. */
function reachesDatagramBefore(batch: Batch, h: number, moved: number): boolean {
  if (h === batch.descriptors >>> 2) return false;
  const { words } = batch;
  const data = words[h + Word.data]!;
  const before = words[h - DESCRIPTOR_WORDS + Word.data]!;
  const beforeLength = words[h - DESCRIPTOR_WORDS + Word.length]! & 0xffff;
  return before < data && before + beforeLength > data + moved;
}
