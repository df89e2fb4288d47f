// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Action, type Batch, DESCRIPTOR_WORDS, Flag, Word } from "../datapath/batch.ts";
import { FIRST_HOST_REASON, Stage } from "./abi.ts";
import { type BatchWindow, HOST_FLAGS_MASK } from "./batch-window.ts";
import { ByteViews } from "./byte-views.ts";
import type { ChainPass } from "./chain-pass.ts";
import { copyPayload } from "./copy-bytes.ts";
import type { DatagramSink } from "./datagram-sink.ts";
import type { DropReasons } from "./drop-reasons.ts";
import { FilterFailure } from "./filter-failure.ts";
import type { GuestMemory } from "./guest-memory.ts";
import type { GuestState } from "./guest-state.ts";
import type { TargetTable } from "./target-table.ts";

/** Flags that a filter sets and that change what becomes of a datagram. */
const OUT_FLAGS = Flag.Retarget | Flag.SetKey | Flag.TxTime;

/** Flags of a filter that stay with a datagram. At LISTENER whoever looks for its session reads them. */
const KEPT_FLAGS = Flag.Dirty | Flag.Retarget | Flag.SetKey;

/** The word behind the last that is in use, and one more. */
const RESERVED = Word.userHigh + 1;

/** What a filter changed: nothing, payloads alone, or anything else. */
export const Change = { None: 0, Payload: 1, Descriptor: 2 } as const;

const TWO_TO_32 = 0x1_0000_0000;
const NANOSECONDS_PER_MS = 1e6;

/**
 * Takes back what a filter said of the datagrams in its window, in two steps: first everything is checked, then
 * everything is put into effect. A filter that breaks the ABI in the last descriptor has changed nothing.
 */
export class BatchResults {
  readonly #memory: GuestMemory;
  readonly #window: BatchWindow;
  readonly #reasons: DropReasons;
  readonly #sink: DatagramSink | null;
  readonly #targets: TargetTable;
  readonly #isAtListener: boolean;
  /** On the guest's memory. */
  readonly #views = new ByteViews();

  /**
   * Without a sink, a filter may only continue, drop and consume; at LISTENER also reply, and say which session a datagram
   * is of.
   */
  constructor({ memory, reasons, host }: GuestState, window: BatchWindow, sink: DatagramSink | null) {
    this.#memory = memory;
    this.#window = window;
    this.#reasons = reasons;
    this.#sink = sink;
    this.#targets = host.targets;
    this.#isAtListener = host.env.stage === Stage.Listener;
  }

  /**
   * Checks every out field of the datagrams `live[start..start+count)`; `total` of `live` are in the pass. Returns what
   * there is to put into effect: one of `Change`. Throws FilterFailure.
   */
  check(
    batch: Batch,
    live: Uint32Array,
    start: number,
    count: number,
    total: number,
    pass: ChainPass,
  ): number {
    const guest = this.#memory.words;
    const host = batch.words;
    const base = batch.descriptors >>> 2;
    const { strideBytes } = this.#window;
    let slot = this.#window.firstSlot;
    let g = this.#window.firstWord;
    let changed = 0;
    let flagChanges = 0;
    let traces = 0;
    for (let k = 0; k < count; k++, g += DESCRIPTOR_WORDS, slot += strideBytes) {
      const index = live[start + k]!;
      const h = base + index * DESCRIPTOR_WORDS;
      const action = guest[g + Word.action]!;
      const flags = guest[g + Word.flags]!;
      if (action !== Action.Continue || (flags & OUT_FLAGS) !== 0) this.#checkAction(action, flags, g, k);
      const hostData = host[h + Word.data]!;
      const moved = guest[g + Word.data]! - slot - (hostData & 3);
      const lengthChange = (guest[g + Word.length]! ^ host[h + Word.length]!) & 0xffff;
      if (moved !== 0 || lengthChange !== 0) {
        pass.noteOrigins(batch, live, total);
        this.#checkExtent(batch, h, guest[g + Word.length]! & 0xffff, moved, pass.origins[index]!, k);
      }
      flagChanges |= flags ^ (host[h + Word.flags]! & HOST_FLAGS_MASK);
      changed |= (action & 0xff) | moved | lengthChange | (guest[g + Word.mark]! ^ host[h + Word.mark]!);
      changed |= guest[g + Word.userLow]! ^ host[h + Word.userLow]!;
      changed |= guest[g + Word.userHigh]! ^ host[h + Word.userHigh]!;
      traces |= action | guest[g + Word.target]! | guest[g + Word.txLow]! | guest[g + Word.txHigh]!;
      traces |= guest[g + Word.addresses]! | guest[g + RESERVED]! | guest[g + RESERVED + 1]!;
    }
    if ((changed | traces) !== 0) this.#window.noteTraces();
    if (changed !== 0 || (flagChanges & ~Flag.Dirty) !== 0) return Change.Descriptor;
    return flagChanges === 0 ? Change.None : Change.Payload;
  }

  /** Puts payloads that were written to into the ring, where `check` found `Change.Payload`. */
  takePayloads(batch: Batch, live: Uint32Array, start: number, count: number): void {
    const guest = this.#memory.words;
    const host = batch.words;
    const { windowBytes } = this.#window;
    this.#views.begin(this.#memory.bytes);
    let g = this.#window.firstWord;
    for (let k = 0; k < count; k++, g += DESCRIPTOR_WORDS) {
      if ((guest[g + Word.flags]! & Flag.Dirty) === 0) continue;
      const h = (batch.descriptors >>> 2) + live[start + k]! * DESCRIPTOR_WORDS;
      const length = host[h + Word.length]!;
      const seen = Math.min(length & 0xffff, length >>> 16, windowBytes);
      host[h + Word.flags]! |= Flag.Dirty;
      copyPayload(batch, host[h + Word.data]!, this.#memory, guest[g + Word.data]!, seen, this.#views);
    }
  }

  /** Puts checked results into the ring. Returns how many datagrams do not go on. */
  apply(batch: Batch, live: Uint32Array, start: number, count: number): number {
    const guest = this.#memory.words;
    const host = batch.words;
    const base = batch.descriptors >>> 2;
    let slot = this.#window.firstSlot;
    let g = this.#window.firstWord;
    let stopped = 0;
    this.#views.begin(this.#memory.bytes);
    for (let k = 0; k < count; k++, g += DESCRIPTOR_WORDS, slot += this.#window.strideBytes) {
      const h = base + live[start + k]! * DESCRIPTOR_WORDS;
      const verdict = guest[g + Word.action]! & 0xffff;
      const action = verdict & 0xff;
      host[h + Word.action] = action === Action.Drop ? verdict : action;
      host[h + Word.mark] = guest[g + Word.mark]!;
      host[h + Word.userLow] = guest[g + Word.userLow]!;
      host[h + Word.userHigh] = guest[g + Word.userHigh]!;
      if (action === Action.Drop || action === Action.Consume) {
        stopped++;
        if (action === Action.Drop) this.#reasons.note(verdict >>> 8);
        continue;
      }
      const hostFlags = host[h + Word.flags]! & 0xffff;
      const flags = guest[g + Word.flags]!;
      host[h + Word.flags] = (flags & 0xffff_0000) | hostFlags | (flags & KEPT_FLAGS);
      this.#takePayload(batch, h, g, slot);
      if (action !== Action.Continue || (flags & (Flag.TxTime | Flag.Retarget)) !== 0) {
        stopped += this.#divert(batch, live[start + k]!, action, g);
      }
    }
    return stopped;
  }

  /** Hands a datagram to the sink. Returns 1 where it is over for the ring, else 0. */
  #divert(batch: Batch, index: number, action: number, g: number): number {
    const guest = this.#memory.words;
    const h = (batch.descriptors >>> 2) + index * DESCRIPTOR_WORDS;
    if (this.#isAtListener) {
      batch.words[h + Word.target] = guest[g + Word.target]!;
      return action === Action.Continue ? 0 : 1;
    }
    const isRetargeted = (guest[g + Word.flags]! & Flag.Retarget) !== 0;
    if (action === Action.Continue && !isRetargeted) {
      this.#sink?.holdUntil(batch, index, txMs(guest, g));
      return 0;
    }
    if (isRetargeted) this.#sink?.retarget(batch, index, guest[g + Word.target]!);
    else if (action === Action.Pause) this.#sink?.pause(batch, index);
    else this.#sink?.reply(batch, index);
    batch.words[h + Word.action] = Action.Consume;
    return 1;
  }

  #checkAction(actionWord: number, flags: number, g: number, k: number): void {
    const action = actionWord & 0xff;
    const isHeld = action === Action.Pause || (flags & Flag.TxTime) !== 0;
    const isAnswered = action === Action.Reply && !this.#isAtListener;
    const isKeyed = (flags & Flag.SetKey) !== 0 && !this.#isAtListener;
    if (((isHeld || isAnswered) && this.#sink === null) || isKeyed) {
      const what = `action ${action}, flags 0x${(flags & 0xffff).toString(16)}`;
      throw new FilterFailure("unsupported_action", `datagram ${k}: ${what} cannot be served at this stage`);
    }
    if ((flags & Flag.Retarget) !== 0) this.#checkTarget(action, flags, g, k);
    if (action > Action.Reply) throw new FilterFailure("bad_output", `datagram ${k}: ${action} is no action`);
    if (((actionWord >>> 8) & 0xff) >= FIRST_HOST_REASON) {
      throw new FilterFailure(
        "bad_output",
        `datagram ${k}: reasons from ${FIRST_HOST_REASON} are the host's`,
      );
    }
  }

  /** It goes elsewhere, and nothing else is asked of it. */
  #checkTarget(action: number, flags: number, g: number, k: number): void {
    if (action !== Action.Continue || (flags & Flag.TxTime) !== 0)
      throw new FilterFailure("unsupported_action", `datagram ${k}: RETARGET goes with CONTINUE alone`);
    if (this.#targets.get(this.#memory.words[g + Word.target]!) === undefined)
      throw new FilterFailure("bad_output", `datagram ${k}: its target is none`);
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
    if (isDirty) copyPayload(batch, hostData + moved, this.#memory, data, seen, this.#views);
  }
}

/** `tx_ns` of the descriptor whose first word is `g`, in milliseconds of the worker's clock. */
export function txMs(words: Uint32Array, g: number): number {
  return (words[g + Word.txLow]! + words[g + Word.txHigh]! * TWO_TO_32) / NANOSECONDS_PER_MS;
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
