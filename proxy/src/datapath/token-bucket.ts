// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Lets so many datagrams a second pass, on average; after a pause up to a second's worth at once. A run of datagrams
 * passes as one where any may: what it takes beyond is owed, so that the average holds.
 */
export class TokenBucket {
  readonly #perSecond: number;
  #tokens: number;
  #filledMs = Number.NaN;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
  }

  /** Adds what the time that passed gives; `nowMs` is of a monotonic clock. */
  fill(nowMs: number): void {
    const passedMs = nowMs - this.#filledMs;
    this.#filledMs = nowMs;
    if (passedMs > 0)
      this.#tokens = Math.min(this.#perSecond, this.#tokens + (passedMs / 1000) * this.#perSecond);
  }

  /** Whether `count` datagrams may pass now; then they are taken. */
  take(count: number): boolean {
    if (this.#tokens <= 0) return false;
    this.#tokens -= count;
    return true;
  }

  /** Takes what passed elsewhere; never more than a second's worth is owed for it. */
  owe(count: number): void {
    if (count > 0) this.#tokens = Math.max(-this.#perSecond, this.#tokens - count);
  }
}
