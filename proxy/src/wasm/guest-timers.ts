// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { Status } from "./abi.ts";
import { DueQueue } from "./due-queue.ts";

/** Timers that one instance may have at a time. */
const MAX_TIMERS = 1_024;

/** Timer ids are below this, so that context and id make one exact number. */
const MAX_TIMER_ID = 0x1_0000;

/** Timers are looked at no more often. */
const RESOLUTION_MS = 1;

interface Timer {
  readonly key: number;
  readonly context: number;
  readonly id: number;
  readonly periodMs: number;
  dueMs: number;
}

/** The timers of one filter instance: one for each context and id. */
export class GuestTimers {
  readonly #byKey = new Map<number, number>();
  readonly #timers: (Timer | undefined)[] = [];
  readonly #free: number[] = [];
  #queue: DueQueue | null = null;

  /** When the first timer is due; Infinity where there is none. */
  get nextMs(): number {
    return this.#queue?.nextMs ?? Number.POSITIVE_INFINITY;
  }

  /** Sets a timer, or sets it anew; a delay below zero cancels it. Returns a status. */
  set(context: number, id: number, delayMs: number, periodMs: number, nowMs: number): number {
    if (id >= MAX_TIMER_ID || periodMs < 0) return Status.BadArgument;
    const key = context * MAX_TIMER_ID + id;
    this.#cancel(key);
    if (delayMs < 0) return Status.Ok;
    if (this.#byKey.size === MAX_TIMERS) return Status.QuotaExceeded;
    const number = this.#free.pop() ?? this.#timers.length;
    const period = periodMs === 0 ? 0 : Math.max(RESOLUTION_MS, periodMs);
    const dueMs = nowMs + Math.max(RESOLUTION_MS, delayMs);
    this.#timers[number] = { key, context, id, periodMs: period, dueMs };
    this.#byKey.set(key, number);
    this.#queue ??= new DueQueue(MAX_TIMERS);
    this.#queue.add(number, dueMs);
    return Status.Ok;
  }

  /** Takes the next timer that is due; a periodic one is set again. Undefined where none is. */
  take(nowMs: number): { readonly context: number; readonly id: number } | undefined {
    const number = this.#queue?.take(nowMs) ?? -1;
    const timer = this.#timers[number];
    if (timer === undefined) return undefined;
    if (timer.periodMs === 0) {
      this.#cancel(timer.key);
    } else {
      // Times that were missed are not made up for.
      const next = timer.dueMs + timer.periodMs;
      timer.dueMs = next > nowMs ? next : nowMs + timer.periodMs;
      this.#queue?.add(number, timer.dueMs);
    }
    return timer;
  }

  /** Cancels the timers of a context that is over. */
  cancelContext(context: number): void {
    for (const timer of this.#timers) if (timer?.context === context) this.#cancel(timer.key);
  }

  #cancel(key: number): void {
    const number = this.#byKey.get(key);
    if (number === undefined) return;
    this.#queue?.remove(number);
    this.#timers[number] = undefined;
    this.#byKey.delete(key);
    this.#free.push(number);
  }
}
