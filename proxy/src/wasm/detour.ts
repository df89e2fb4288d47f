// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { type Batch, DESCRIPTOR_WORDS, Flag, Word } from "../datapath/batch.ts";
import { FIRST_SESSION_CONTEXT } from "./abi.ts";
import { ChainPass } from "./chain-pass.ts";
import type { MemoryViews } from "./copy-bytes.ts";
import { DatagramStore } from "./datagram-store.ts";
import { DueQueue } from "./due-queue.ts";

/** Datagrams of one session and direction that a filter may pause; the oldest makes room. */
const MAX_PAUSED = 64;

/** A datagram that filters send back and forth is given up after so many turns. */
const MAX_TURNS = 4;

/** Nothing is held longer than this: pacing is a matter of milliseconds. */
const MAX_HOLD_MS = 10_000;

/** What an emitted datagram has of its descriptor as the filter wrote it. */
const EMITTED_WORDS = [Word.session, Word.target, Word.mark, Word.userLow, Word.userHigh] as const;

/** Flags that a filter may set in a datagram that it emits. */
const EMITTED_FLAGS = Flag.UpstreamDirection;

/** Datagrams outside of the ring that wait to be sent. Their session and direction are in their descriptors. */
export interface Outgoing {
  readonly batch: Batch;
  /** The descriptors to be sent, in order; `count` of them are valid. */
  readonly indexes: Uint32Array;
  readonly count: number;
}

/**
 * The datagrams of a chain that are not, or no longer, in the worker's ring: emitted ones, replies, paused ones, and
 * those that are held until their time. All are copies in memory of a fixed size, and nothing is allocated for one.
 * An owner is the filter, whatever it is to the caller, behind which a datagram goes on.
 */
export class Detour<Owner> implements Outgoing {
  readonly batch = new DatagramStore();
  readonly indexes = new Uint32Array(this.batch.capacity);
  count = 0;
  /** Datagrams that were given up for want of room since this was last read. */
  lost = 0;
  /** Room for the caller that runs filters over `batch`. */
  readonly live = new Uint32Array(this.batch.capacity);
  readonly pass = new ChainPass(this.batch.capacity);
  readonly #held = new DueQueue(this.batch.capacity);
  readonly #dueMs = new Float64Array(this.batch.capacity);
  readonly #turns = new Uint8Array(this.batch.capacity);
  readonly #owners: (Owner | null)[] = new Array(this.batch.capacity).fill(null);
  readonly #paused = new Uint16Array(this.batch.capacity);
  #pausedCount = 0;
  #ready = new Uint16Array(this.batch.capacity);
  #readyCount = 0;
  #taken = new Uint16Array(this.batch.capacity);

  /** When the first held datagram is due; Infinity where none is held. */
  get nextMs(): number {
    return this.#held.nextMs;
  }

  pause(owner: Owner, batch: Batch, index: number): void {
    const slot = this.#keepCopy(owner, batch, index);
    if (slot < 0) return;
    let same = 0;
    let oldest = 0;
    for (let i = this.#pausedCount - 1; i >= 0; i--) {
      if (!this.#isSameWay(this.#paused[i]!, slot)) continue;
      oldest = i;
      same++;
    }
    if (same >= MAX_PAUSED) {
      this.batch.release(this.#paused[oldest]!);
      this.lost++;
      this.#paused.copyWithin(oldest, oldest + 1, this.#pausedCount--);
    }
    this.#paused[this.#pausedCount++] = slot;
  }

  /** Lets the datagrams go on that `owner` paused. */
  resume(owner: Owner, session: number, isUpstream: boolean): void {
    const context = session + FIRST_SESSION_CONTEXT;
    let kept = 0;
    for (let i = 0; i < this.#pausedCount; i++) {
      const slot = this.#paused[i]!;
      const isMeant =
        this.#owners[slot] === owner &&
        this.batch.session(slot) === context &&
        this.batch.isUpstream(slot) === isUpstream;
      if (isMeant) this.#ready[this.#readyCount++] = slot;
      else this.#paused[kept++] = slot;
    }
    this.#pausedCount = kept;
  }

  reply(owner: Owner, batch: Batch, index: number): void {
    const slot = this.#keepCopy(owner, batch, index);
    if (slot < 0) return;
    const turns = (batch === this.batch ? this.#turns[index]! : 0) + 1;
    if (turns > MAX_TURNS) {
      this.batch.release(slot);
      this.lost++;
      return;
    }
    this.#turns[slot] = turns;
    this.batch.turn(slot);
    this.batch.words[slot * DESCRIPTOR_WORDS + Word.target] = 0;
    this.#ready[this.#readyCount++] = slot;
  }

  /** A copy goes on behind `owner`, and leaves to a target at the end of the chain. */
  retarget(owner: Owner, batch: Batch, index: number, target: number): void {
    const slot = this.#keepCopy(owner, batch, index);
    if (slot < 0) return;
    this.batch.words[slot * DESCRIPTOR_WORDS + Word.target] = target;
    this.#ready[this.#readyCount++] = slot;
  }

  emit(owner: Owner, guest: MemoryViews, word: number, dueMs: number): void {
    const { words } = guest;
    const slot = this.batch.keep(guest, words[word + Word.data]!, words[word + Word.length]! & 0xffff);
    if (slot < 0) {
      this.lost++;
      return;
    }
    const to = slot * DESCRIPTOR_WORDS;
    for (let i = 0; i < EMITTED_WORDS.length; i++) {
      const field = EMITTED_WORDS[i]!;
      this.batch.words[to + field] = words[word + field]!;
    }
    const flags = words[word + Word.flags]!;
    this.batch.words[to + Word.flags] = (flags & 0xffff_0000) | (flags & EMITTED_FLAGS) | Flag.Emitted;
    this.#owners[slot] = owner;
    this.#dueMs[slot] = dueMs;
    this.#turns[slot] = 0;
    // What goes to a target is none of the session's: no other filter sees it.
    if (words[word + Word.target] !== 0) this.indexes[this.count++] = slot;
    else this.#ready[this.#readyCount++] = slot;
  }

  /** Takes a datagram that has passed every filter out of the ring until it is due. False where there is no room. */
  hold(batch: Batch, index: number, dueMs: number, nowMs: number): boolean {
    const slot = this.batch.keepCopy(batch, index);
    if (slot < 0) return false;
    this.#held.add(slot, Math.min(dueMs, nowMs + MAX_HOLD_MS));
    return true;
  }

  /** Sets when a kept datagram may leave. */
  setDue(slot: number, dueMs: number): void {
    this.#dueMs[slot] = dueMs;
  }

  /** A kept datagram has passed every filter: it leaves now, or when it is due. */
  finish(slot: number, nowMs: number): void {
    const dueMs = this.#dueMs[slot]!;
    if (dueMs > nowMs) this.#held.add(slot, Math.min(dueMs, nowMs + MAX_HOLD_MS));
    else this.indexes[this.count++] = slot;
  }

  /** Moves what is due to what is outgoing. */
  advance(nowMs: number): void {
    for (let slot = this.#held.take(nowMs); slot >= 0; slot = this.#held.take(nowMs)) {
      this.indexes[this.count++] = slot;
    }
  }

  /** Takes the datagrams that are to go on behind their owners, in order, into `taken`. Returns how many they are. */
  takeReady(): number {
    const count = this.#readyCount;
    const taken = this.#ready;
    this.#ready = this.#taken;
    this.#readyCount = 0;
    this.#taken = taken;
    return count;
  }

  /** What `takeReady` took last. */
  get taken(): Uint16Array {
    return this.#taken;
  }

  owner(slot: number): Owner | null {
    return this.#owners[slot] ?? null;
  }

  /** What was outgoing has been sent, or never will be. */
  releaseOutgoing(): void {
    for (let i = 0; i < this.count; i++) this.batch.release(this.indexes[i]!);
    this.count = 0;
  }

  /** Drops whatever is kept of a session that is over. */
  closeSession(session: number): void {
    const context = session + FIRST_SESSION_CONTEXT;
    const isOver = (slot: number): boolean => this.batch.session(slot) === context;
    this.#pausedCount = this.#giveUp(this.#paused, this.#pausedCount, isOver);
    this.#readyCount = this.#giveUp(this.#ready, this.#readyCount, isOver);
    for (let slot = 0; slot < this.batch.capacity; slot++) {
      if (this.#held.has(slot) && isOver(slot)) {
        this.#held.remove(slot);
        this.batch.release(slot);
      }
    }
    let kept = 0;
    for (let i = 0; i < this.count; i++) {
      const slot = this.indexes[i]!;
      if (isOver(slot)) this.batch.release(slot);
      else this.indexes[kept++] = slot;
    }
    this.count = kept;
  }

  /** The owner is gone or failed: what it paused goes on where `goesOn`, else it is dropped. */
  abandon(owner: Owner, goesOn: boolean): void {
    const isOurs = (slot: number): boolean => this.#owners[slot] === owner;
    if (goesOn) {
      for (let i = 0; i < this.#pausedCount; i++) {
        if (isOurs(this.#paused[i]!)) this.#ready[this.#readyCount++] = this.#paused[i]!;
      }
      this.#pausedCount = keep(this.#paused, this.#pausedCount, (slot) => !isOurs(slot));
    } else {
      this.#pausedCount = this.#giveUp(this.#paused, this.#pausedCount, isOurs);
    }
  }

  #keepCopy(owner: Owner, batch: Batch, index: number): number {
    const slot = this.batch.keepCopy(batch, index);
    if (slot < 0) {
      this.lost++;
      return -1;
    }
    this.#owners[slot] = owner;
    this.#dueMs[slot] = 0;
    this.#turns[slot] = 0;
    return slot;
  }

  #isSameWay(a: number, b: number): boolean {
    return (
      this.#owners[a] === this.#owners[b] &&
      this.batch.session(a) === this.batch.session(b) &&
      this.batch.isUpstream(a) === this.batch.isUpstream(b)
    );
  }

  /** Releases the slots of a list that `isOver` names. Returns how many stay in it. */
  #giveUp(list: Uint16Array, count: number, isOver: (slot: number) => boolean): number {
    return keep(list, count, (slot) => {
      if (!isOver(slot)) return true;
      this.batch.release(slot);
      this.lost++;
      return false;
    });
  }
}

/** Keeps those of the first `count` numbers that `isKept` names, in order. Returns how many they are. */
function keep(list: Uint16Array, count: number, isKept: (slot: number) => boolean): number {
  let kept = 0;
  for (let i = 0; i < count; i++) if (isKept(list[i]!)) list[kept++] = list[i]!;
  return kept;
}
