// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type CounterPage, ListenerSlot } from "./counters.ts";
import type { ListenerLimits } from "./listener-limits.ts";
import type { SessionTable } from "./session-table.ts";
import { SourceTable } from "./source-table.ts";
import { TokenBucket } from "./token-bucket.ts";

/** What an admission works on. */
export interface AdmissionParts {
  /** First slot of the listener's counters. */
  readonly listenerCounters: number;
  /** This worker's counters, and those of every worker. */
  readonly counters: CounterPage;
  readonly pages: readonly CounterPage[];
}

/** Keeps the limits of one listener in one worker. Refusals are answered as the `ListenerSlot` that counts them. */
export class Admission {
  readonly limits: ListenerLimits;
  readonly #parts: AdmissionParts;
  readonly #sources: SourceTable | undefined;
  readonly #bucket: TokenBucket | undefined;
  /** What the other workers let pass, as far as the bucket knows of it. */
  #passedElsewhere = 0;

  constructor(limits: ListenerLimits, parts: AdmissionParts) {
    this.limits = limits;
    this.#parts = parts;
    const { datagramsPerSecond, datagramsPerSecondPerSource: perSource, maxSessionsPerSource } = limits;
    if (datagramsPerSecond !== undefined) this.#bucket = new TokenBucket(datagramsPerSecond);
    if (perSource !== undefined || maxSessionsPerSource !== undefined)
      this.#sources = new SourceTable(perSource);
    this.#passedElsewhere = this.#elsewhere(ListenerSlot.admitted);
  }

  /** Takes in the sessions that the listener has already. */
  adopt(sessions: SessionTable, listener: number): void {
    sessions.forEach((session) => {
      if (sessions.listener(session) === listener) this.opened(session, sessions);
    });
  }

  /** To be called before the datagrams of a batch are looked at. */
  begin(nowMs: number): void {
    if (this.#bucket === undefined) return;
    this.#bucket.fill(nowMs);
    const passed = this.#elsewhere(ListenerSlot.admitted);
    this.#bucket.owe(passed - this.#passedElsewhere);
    this.#passedElsewhere = passed;
  }

  /** Whether the listener may take `count` more datagrams. */
  takes(count: number): boolean {
    if (this.#bucket === undefined) return true;
    if (!this.#bucket.take(count)) return false;
    this.#parts.counters[this.#parts.listenerCounters + ListenerSlot.admitted]! += count;
    return true;
  }

  /** Whether the source of a session may send `count` more datagrams. */
  takesFrom(session: number, count: number, nowMs: number): boolean {
    return this.#sources === undefined || this.#sources.take(session, count, nowMs);
  }

  /** Why a client, whose `struct sockaddr` stands at word `at`, may not have a new session; -1 where it may. */
  refusal(words: Uint32Array, at: number): number {
    const { isDraining, maxSessions, maxSessionsPerSource } = this.limits;
    if (isDraining) return ListenerSlot.dropDraining;
    const slot = ListenerSlot.sessionsActive;
    if (maxSessions !== undefined && this.#here(slot) + this.#elsewhere(slot) >= maxSessions)
      return ListenerSlot.dropSessionLimit;
    if (maxSessionsPerSource !== undefined && this.#sources!.sessionsOf(words, at) >= maxSessionsPerSource)
      return ListenerSlot.dropSourceSessionLimit;
    return -1;
  }

  opened(session: number, sessions: SessionTable): void {
    this.#sources?.add(session, sessions.words, sessions.client(session) >> 2);
  }

  closed(session: number): void {
    this.#sources?.remove(session);
  }

  #here(slot: number): number {
    return this.#parts.counters[this.#parts.listenerCounters + slot]!;
  }

  #elsewhere(slot: number): number {
    const { pages, counters, listenerCounters } = this.#parts;
    let sum = 0;
    for (let i = 0; i < pages.length; i++)
      if (pages[i] !== counters) sum += pages[i]![listenerCounters + slot]!;
    return sum;
  }
}
