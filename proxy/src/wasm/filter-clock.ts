// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { FilterEnvironment } from "./filter-environment.ts";

const TWO_TO_32 = 0x1_0000_0000;

/**
 * The time that the filters of a chain see. It stands still during a batch, so that reading it costs neither a
 * system call nor an allocation; 64-bit times are kept as two words for the same reason.
 */
export class FilterClock {
  /** Monotonic, whole milliseconds; limits log messages. */
  nowMs = 0;
  nowLow = 0;
  nowHigh = 0;
  wallLow = 0;
  wallHigh = 0;
  readonly #env: FilterEnvironment;
  #offsetLow = 0;
  #offsetHigh = 0;

  constructor(env: FilterEnvironment) {
    this.#env = env;
    this.refresh();
  }

  /** Monotonic milliseconds with their fraction. */
  get exactMs(): number {
    return (this.nowLow + this.nowHigh * TWO_TO_32) / 1e6;
  }

  /** Reads both clocks and how they differ. For set-up and ticks: it allocates. */
  refresh(): void {
    const monotonic = this.#env.monotonicNs();
    const offset = BigInt.asUintN(64, this.#env.wallNs() - monotonic);
    this.#offsetLow = Number(offset & 0xffff_ffffn);
    this.#offsetHigh = Number(offset >> 32n);
    this.set(Number(monotonic));
  }

  /** Moves to a monotonic time in nanoseconds; wall time follows by the difference last read. */
  set(nowMonotonicNs: number): void {
    this.nowMs = Math.floor(nowMonotonicNs / 1e6);
    this.nowHigh = Math.floor(nowMonotonicNs / TWO_TO_32);
    this.nowLow = nowMonotonicNs - this.nowHigh * TWO_TO_32;
    const low = this.nowLow + this.#offsetLow;
    this.wallLow = low >>> 0;
    this.wallHigh = (this.nowHigh + this.#offsetHigh + (low >= TWO_TO_32 ? 1 : 0)) >>> 0;
  }
}
