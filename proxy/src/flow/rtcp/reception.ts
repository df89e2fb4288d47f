// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { sequenceDistance } from "../rtp-header.ts";

/** A jump further than this is a source that began anew (RFC 3550 A.1). */
const MAX_DROPOUT = 3_000;

/** A report block (RFC 3550 section 6.4.1), without the SSRC. */
export interface ReportBlock {
  /** 0 to 255, since the report before. */
  fractionLost: number;
  /** Signed, 24 bits. */
  cumulativeLost: number;
  highestSequence: number;
  jitter: number;
  /** Middle 32 bits of the NTP time of the last sender report, and since when in 1/65536 s. */
  lsr: number;
  dlsr: number;
}

/** What arrives here of a source's stream, counted as a receiver does (RFC 3550 A.1, A.3 and A.8). */
export class Reception {
  ssrc = -1;
  /** RTP packets since the last report. */
  fresh = 0;
  /** Whether the source reports about this stream by itself. */
  isReported = false;
  /** When the stream began and went on last, by the clock of `arrivalMs`. */
  begunMs = 0;
  latestMs = 0;
  #latestTimestamp = 0;
  #base = 0;
  #highest = 0;
  #cycles = 0;
  #received = 0;
  #expectedPrior = 0;
  #receivedPrior = 0;
  #jitter = 0;
  #transit = Number.NaN;
  #lsr = 0;
  #lsrAtMs = 0;

  /** Sequence number of the latest packet with the times that it wrapped. */
  get highestSequence(): number {
    return this.#cycles + this.#highest;
  }

  /** Another source is sent on: what comes next begins a stream. */
  restart(): void {
    this.ssrc = -1;
  }

  /** A packet came; `arrivalMs` is when, by any clock, and `clockRate` 0 where it is not known. */
  onPacket(ssrc: number, seq: number, timestamp: number, arrivalMs: number, clockRate: number): void {
    const ahead = sequenceDistance(seq, this.#highest);
    if (ssrc !== this.ssrc || Math.abs(ahead) > MAX_DROPOUT) this.#begin(ssrc, seq, arrivalMs);
    else if (ahead > 0) {
      if (seq < this.#highest) this.#cycles += 0x1_0000;
      this.#highest = seq;
    }
    if (seq === this.#highest) {
      this.latestMs = arrivalMs;
      this.#latestTimestamp = timestamp;
    }
    this.#received++;
    this.fresh++;
    if (clockRate > 0) this.#followJitter(timestamp, arrivalMs, clockRate);
  }

  /** A sender report came with these middle 32 bits of its NTP time. */
  onSenderReport(lsr: number, nowMs: number): void {
    this.#lsr = lsr;
    this.#lsrAtMs = nowMs;
    this.isReported = true;
  }

  /** The RTP timestamp that the source would have at a time of the clock of `arrivalMs`. */
  timestampAt(wallMs: number, clockRate: number): number {
    return (this.#latestTimestamp + Math.round(((wallMs - this.latestMs) * clockRate) / 1000)) >>> 0;
  }

  /** The report since the last one. */
  report(nowMs: number, to: ReportBlock): void {
    const expected = this.highestSequence - this.#base + 1;
    const expectedNow = expected - this.#expectedPrior;
    const lostNow = expectedNow - (this.#received - this.#receivedPrior);
    this.#expectedPrior = expected;
    this.#receivedPrior = this.#received;
    this.fresh = 0;
    to.fractionLost =
      expectedNow <= 0 || lostNow <= 0 ? 0 : Math.min(255, Math.floor((lostNow * 256) / expectedNow));
    to.cumulativeLost = Math.max(-0x80_0000, Math.min(0x7f_ffff, expected - this.#received));
    to.highestSequence = this.highestSequence;
    to.jitter = Math.round(this.#jitter);
    to.lsr = this.#lsr;
    to.dlsr = this.#lsr === 0 ? 0 : Math.round(((nowMs - this.#lsrAtMs) * 65_536) / 1000);
  }

  #begin(ssrc: number, seq: number, arrivalMs: number): void {
    if (ssrc !== this.ssrc) {
      this.#lsr = 0;
      this.isReported = false;
      this.begunMs = arrivalMs;
    }
    this.ssrc = ssrc;
    this.#base = this.#highest = seq;
    this.#cycles = 0;
    this.#received = this.#expectedPrior = this.#receivedPrior = 0;
    this.#jitter = 0;
    this.#transit = Number.NaN;
  }

  #followJitter(timestamp: number, arrivalMs: number, clockRate: number): void {
    const transit = ((arrivalMs * clockRate) / 1000 - timestamp) % 2 ** 32;
    // Modulo 2^32, as timestamps are.
    const difference = Math.abs(((transit - this.#transit + 1.5 * 2 ** 32) % 2 ** 32) - 2 ** 31);
    if (!Number.isNaN(difference)) this.#jitter += (difference - this.#jitter) / 16;
    this.#transit = transit;
  }
}
