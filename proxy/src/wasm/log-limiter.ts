// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { FilterClock } from "./filter-clock.ts";

/** Messages that an instance may log at once: enough to explain a refused configuration line by line. */
const BURST = 20;

/** One more message per so many milliseconds: a filter that logs per datagram must not fill a disk. */
const REFILL_MS = 1_000;

/** Decides which of a filter's log messages are passed on. A refused one costs a comparison. */
export class LogLimiter {
  /** Messages held back since the last one that was passed on. */
  suppressed = 0;
  readonly #clock: FilterClock;
  #tokens = BURST;
  #refilledAtMs: number;

  constructor(clock: FilterClock) {
    this.#clock = clock;
    this.#refilledAtMs = clock.nowMs;
  }

  /** Takes the right to log one message; false when there is none left. */
  take(): boolean {
    const refill = Math.floor((this.#clock.nowMs - this.#refilledAtMs) / REFILL_MS);
    if (refill > 0) {
      this.#tokens = Math.min(BURST, this.#tokens + refill);
      this.#refilledAtMs += refill * REFILL_MS;
    }
    if (this.#tokens === 0) {
      this.suppressed++;
      return false;
    }
    this.#tokens--;
    return true;
  }
}
