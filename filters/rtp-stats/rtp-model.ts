// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** A packet as it reaches the receiver. */
export interface Arrival {
  readonly sequenceNumber: number;
  readonly timestamp: number;
  /** Nanoseconds on any clock. */
  readonly arrivedNs: number;
}

const SEQUENCE_NUMBERS = 65_536;
const MAX_DROPOUT = 3_000;
const MAX_MISORDER = 100;

/**
 * RFC 3550 A.1, A.3 and A.8 once more, written for the tests and unlike the filter: numbers without bounds, a set
 * of all that was received, and floating point.
 */
export class RtpModel {
  received = 0;
  reordered = 0;
  duplicated = 0;
  restarts = 0;
  /** Packets missing when a later one arrived, whether they came afterwards or not. */
  gaps = 0;
  /** Timestamp units. */
  jitter = 0;
  readonly #clockRate: number;
  #base = 0;
  #highest = -1;
  #inSequence = 0;
  #seen = new Set<number>();
  #lostBefore = 0;
  #expectedRestart = -1;
  #last: Arrival | null = null;

  constructor(clockRate: number) {
    this.#clockRate = clockRate;
  }

  get lost(): number {
    return this.#lostBefore + (this.#highest - this.#base + 1 - this.#inSequence);
  }

  receive(packet: Arrival): void {
    this.received++;
    if (this.#highest < 0) this.#begin(packet.sequenceNumber);
    else if (!this.#follow(packet.sequenceNumber)) return;
    this.#measure(packet);
  }

  #begin(sequenceNumber: number): void {
    this.#base = sequenceNumber;
    this.#highest = sequenceNumber;
    this.#inSequence = 1;
    this.#seen = new Set([sequenceNumber]);
    this.#expectedRestart = -1;
    this.#last = null;
  }

  #follow(sequenceNumber: number): boolean {
    const ahead = modulo(sequenceNumber - this.#highest);
    if (ahead > 0 && ahead < MAX_DROPOUT) {
      this.gaps += ahead - 1;
      this.#highest += ahead;
      this.#seen.add(this.#highest);
    } else if (ahead === 0 || ahead > SEQUENCE_NUMBERS - MAX_MISORDER) {
      const full = this.#highest - modulo(-ahead);
      if (this.#seen.has(full)) this.duplicated++;
      else this.reordered++;
      this.#seen.add(full);
    } else if (sequenceNumber === this.#expectedRestart) {
      this.#lostBefore = this.lost;
      this.restarts++;
      this.#begin(sequenceNumber);
      return true;
    } else {
      this.#expectedRestart = modulo(sequenceNumber + 1);
      return false;
    }
    this.#inSequence++;
    return true;
  }

  #measure(packet: Arrival): void {
    if (this.#last !== null) {
      const arrival = ((packet.arrivedNs - this.#last.arrivedNs) * this.#clockRate) / 1e9;
      // Timestamps wrap too; the tests step them by less than half their range.
      const difference = Math.abs(arrival - ((packet.timestamp - this.#last.timestamp) | 0));
      this.jitter += (difference - this.jitter) / 16;
    }
    this.#last = packet;
  }
}

function modulo(difference: number): number {
  return ((difference % SEQUENCE_NUMBERS) + SEQUENCE_NUMBERS) % SEQUENCE_NUMBERS;
}
