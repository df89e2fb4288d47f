// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { ReportBlock } from "./reception.ts";

/**
 * What the receivers of a flow reported since the last time, as one report for the source: the worst loss and jitter,
 * the highest sequence number, and the round trip of whoever spoke last. The source hears once per interval, however
 * many receivers there are.
 */
export class ReceiverReports {
  /** Reports since the last one was taken. */
  fresh = 0;
  readonly #worst: ReportBlock = {
    fractionLost: 0,
    cumulativeLost: 0,
    highestSequence: 0,
    jitter: 0,
    lsr: 0,
    dlsr: 0,
  };
  #lastAtMs = 0;

  /** A receiver reported; the block's sequence number is in the source's terms. */
  add(block: ReportBlock, nowMs: number): void {
    const worst = this.#worst;
    const isFirst = this.fresh++ === 0;
    worst.fractionLost = isFirst ? block.fractionLost : Math.max(worst.fractionLost, block.fractionLost);
    worst.cumulativeLost = isFirst
      ? block.cumulativeLost
      : Math.max(worst.cumulativeLost, block.cumulativeLost);
    worst.highestSequence = isFirst
      ? block.highestSequence
      : Math.max(worst.highestSequence, block.highestSequence);
    worst.jitter = isFirst ? block.jitter : Math.max(worst.jitter, block.jitter);
    if (block.lsr === 0 && !isFirst) return;
    worst.lsr = block.lsr;
    worst.dlsr = block.dlsr;
    this.#lastAtMs = nowMs;
  }

  /** Takes the report; what was held here since the last receiver spoke counts as its delay. */
  take(nowMs: number, to: ReportBlock): void {
    Object.assign(to, this.#worst);
    if (to.lsr !== 0) to.dlsr = (to.dlsr + Math.round(((nowMs - this.#lastAtMs) * 65_536) / 1000)) >>> 0;
    this.fresh = 0;
  }
}
