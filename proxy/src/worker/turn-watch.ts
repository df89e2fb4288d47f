// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { monotonicMs } from "../datapath/monotonic-clock.ts";
import { Vital } from "./protocol.ts";
import { threadCpuMs } from "./thread-time.ts";

/** After so many times its limit a turn is over, however little of the machine it had: it may be blocked. */
const PATIENCE = 10;

/** A turn that should have ended. Times are milliseconds; `cpuMs` is undefined where the system does not tell it. */
export interface OverdueTurn {
  readonly lastedMs: number;
  readonly cpuMs: number | undefined;
}

/** What is asked of the system; tests give their own. */
export interface TurnClocks {
  now(): number;
  /** CPU that the thread has used. */
  threadMs(thread: number): number | undefined;
}

/**
 * Finds out that a worker does not come back from a turn. One that the machine gave no time is not to blame, and ending
 * it would cost even more: a turn is overdue when it has lasted its limit and has used half of that in CPU.
 */
export class TurnWatch {
  readonly #vitals: Float64Array;
  readonly #clocks: TurnClocks;
  /** The turn that was seen last, and what its thread had used by then. */
  #since = 0;
  #usedMs: number | undefined;

  constructor(vitals: Float64Array, clocks: TurnClocks = { now: monotonicMs, threadMs: threadCpuMs }) {
    this.#vitals = vitals;
    this.#clocks = clocks;
  }

  /** To be called several times within `limitMs`. Tells of the turn under way if it is overdue. */
  look(limitMs: number): OverdueTurn | undefined {
    const since = this.#vitals[Vital.turnStartMs]!;
    if (since === 0) return undefined;
    const usedMs = this.#clocks.threadMs(this.#vitals[Vital.thread]!);
    if (since !== this.#since) {
      this.#since = since;
      this.#usedMs = usedMs;
    }
    const lastedMs = this.#clocks.now() - since;
    if (lastedMs < limitMs) return undefined;
    const cpuMs = usedMs === undefined || this.#usedMs === undefined ? undefined : usedMs - this.#usedMs;
    if (cpuMs !== undefined && cpuMs < limitMs / 2 && lastedMs < PATIENCE * limitMs) return undefined;
    return { lastedMs, cpuMs };
  }
}
