// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** RFC 3550 A.1: how far a sequence number may run ahead, or lag behind, and still belong. */
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 100;

/** What was received of one stream so far. */
export interface ReceptionCounts {
  readonly received: number;
  /** RFC 3550 A.3: expected less received; a duplicate makes up for a loss. */
  readonly lost: number;
  readonly duplicated: number;
  /** Arrived after a datagram with a higher number. */
  readonly reordered: number;
  /** Times that the sequence jumped and was followed anew. */
  readonly restarts: number;
  readonly jitterMs: number;
  readonly highestSequence: number;
}

/**
 * Statistics of one received stream by RFC 3550 A.1 (without probation: one packet is enough to begin), A.3 and A.8.
 * In floating point and on its own, so that it can check others.
 */
export class Reception {
  readonly #clockHz: number;
  #base = 0;
  #cycles = 0;
  #highest = -1;
  #suspect = -1;
  #received = 0;
  /** Packets and losses of the sequences before the last restart. */
  #receivedBefore = 0;
  #lostBefore = 0;
  #duplicated = 0;
  #reordered = 0;
  #restarts = 0;
  #transit: number | undefined;
  #jitter = 0;
  #reported = { expected: 0, received: 0 };

  /** The clock rate is that of the RTP timestamps. */
  constructor(clockHz: number) {
    this.#clockHz = clockHz;
  }

  /** Counts a packet that arrived at `arrivalMs` of any steady clock. */
  add(sequenceNumber: number, timestamp: number, arrivalMs: number): void {
    if (!this.#follow(sequenceNumber)) return;
    this.#received++;
    const transit = (arrivalMs * this.#clockHz) / 1000 - timestamp;
    if (this.#transit !== undefined) {
      const step = Math.abs(transit - this.#transit) % 2 ** 32;
      this.#jitter += (Math.min(step, 2 ** 32 - step) - this.#jitter) / 16;
    }
    this.#transit = transit;
  }

  get counts(): ReceptionCounts {
    return {
      received: this.#receivedBefore + this.#received,
      lost: this.#lostBefore + this.#expected - this.#received,
      duplicated: this.#duplicated,
      reordered: this.#reordered,
      restarts: this.#restarts,
      jitterMs: (this.#jitter * 1000) / this.#clockHz,
      highestSequence: (this.#cycles + this.#highest) >>> 0,
    };
  }

  /** Loss in 1/256 since the last call (A.3), and jitter in clock units: for a report block. */
  takeReport(): { readonly fractionLost: number; readonly jitter: number } {
    const expected = this.#expected - this.#reported.expected;
    const lost = expected - (this.#received - this.#reported.received);
    this.#reported = { expected: this.#expected, received: this.#received };
    const fractionLost = expected <= 0 || lost <= 0 ? 0 : Math.min(255, Math.floor((lost * 256) / expected));
    return { fractionLost, jitter: Math.floor(this.#jitter) };
  }

  get #expected(): number {
    return this.#highest < 0 ? 0 : this.#cycles + this.#highest - this.#base + 1;
  }

  /** Moves the sequence on; false for a packet that is not counted since its number fits nowhere. */
  #follow(sequenceNumber: number): boolean {
    if (this.#highest < 0) return this.#begin(sequenceNumber);
    const ahead = (sequenceNumber - this.#highest) & 0xffff;
    if (ahead === 0) {
      this.#duplicated++;
    } else if (ahead < MAX_DROPOUT) {
      if (sequenceNumber < this.#highest) this.#cycles += 0x10000;
      this.#highest = sequenceNumber;
    } else if (ahead <= 0x10000 - MAX_MISORDER) {
      // Two consecutive numbers from elsewhere: the sender began anew.
      if (sequenceNumber !== this.#suspect) {
        this.#suspect = (sequenceNumber + 1) & 0xffff;
        return false;
      }
      this.#restart(sequenceNumber);
    } else {
      this.#reordered++;
    }
    return true;
  }

  #begin(sequenceNumber: number): true {
    this.#base = sequenceNumber;
    this.#highest = sequenceNumber;
    this.#cycles = 0;
    this.#suspect = -1;
    return true;
  }

  #restart(sequenceNumber: number): void {
    this.#lostBefore += this.#expected - this.#received;
    this.#receivedBefore += this.#received;
    this.#received = 0;
    this.#reported = { expected: 0, received: 0 };
    this.#restarts++;
    this.#transit = undefined;
    this.#begin(sequenceNumber);
  }
}
