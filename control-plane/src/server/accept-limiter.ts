// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock } from "../clock.ts";

/** How fast streams are let in. */
export interface AcceptRate {
  /** Streams per second in the long run. */
  readonly perSecond: number;
  /** Streams let in at once after a quiet time. */
  readonly burst: number;
  /** Streams that may wait; more are refused. */
  readonly maxWaiting: number;
}

/**
 * Lets new streams in at a bounded rate, first come, first served, so that the return of a whole mesh at once does not
 * keep those who are connected waiting: a client that has to wait sees no error, only a later answer.
 */
export class AcceptLimiter {
  readonly #rate: AcceptRate;
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #tokens: number;
  #filledAt: number;
  #isScheduled = false;

  constructor(rate: AcceptRate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
    this.#tokens = rate.burst;
    this.#filledAt = clock.now();
  }

  /**
   * Calls `enter` when it is its turn, at once if that is now. Returns how to give the place up, or undefined when too
   * many wait already.
   */
  admit(enter: () => void): (() => void) | undefined {
    if (this.#waiting.size >= this.#rate.maxWaiting) return undefined;
    this.#waiting.add(enter);
    this.#serve();
    return () => this.#waiting.delete(enter);
  }

  #serve(): void {
    const { perSecond, burst } = this.#rate;
    const now = this.#clock.now();
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1000) * perSecond);
    this.#filledAt = now;
    for (const enter of this.#waiting) {
      if (this.#tokens < 1) break;
      this.#tokens--;
      this.#waiting.delete(enter);
      enter();
    }
    if (this.#waiting.size === 0 || this.#isScheduled) return;
    this.#isScheduled = true;
    const untilNextMs = Math.max(1, ((1 - this.#tokens) / perSecond) * 1000);
    this.#clock.after(untilNextMs, () => {
      this.#isScheduled = false;
      this.#serve();
    });
  }
}
