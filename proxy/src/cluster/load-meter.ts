// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** What is measured of an endpoint: counters since its beginning. */
export interface EndpointLoad {
  readonly bytes: number;
  readonly sessions: number;
}

/** A rate is measured anew after so long: long enough for the bursts of video frames to even out. */
const MEASURE_MS = 250;

/** How much one endpoint's sessions carry. It outlives the pickers that ask it. */
export class LoadMeter {
  /** Bytes a second, both ways, when it was measured last. */
  rate = 0;
  /** Sessions then. */
  sessions = 0;
  #bytes: number;
  #measuredMs: number;

  constructor({ bytes, sessions }: EndpointLoad, nowMs: number) {
    this.#bytes = bytes;
    this.sessions = sessions;
    this.#measuredMs = nowMs;
  }

  /** Takes over counters, where the last time is long enough ago. Returns whether it did. */
  measure(bytes: number, sessions: number, nowMs: number): boolean {
    const elapsedMs = nowMs - this.#measuredMs;
    if (elapsedMs < MEASURE_MS) return false;
    this.rate = (Math.max(0, bytes - this.#bytes) * 1000) / elapsedMs;
    this.sessions = sessions;
    this.#bytes = bytes;
    this.#measuredMs = nowMs;
    return true;
  }
}
