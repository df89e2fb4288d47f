// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** One request for a picture serves all who ask within this time: about what an encoder needs to answer. */
export const PICTURE_WINDOW_MS = 500;
/** A retransmission that was asked for comes within this time, or is asked for again. */
const NACK_WINDOW_MS = 50;
/** Sequence numbers that are remembered. */
const NACK_SLOTS = 1024;

/** What of the receivers' feedback goes up to the source: each request once per window, whoever made it. */
export class FeedbackWindow {
  #askedPictureMs = Number.NEGATIVE_INFINITY;
  #isPictureWanted = false;
  readonly #nackSeq = new Int32Array(NACK_SLOTS).fill(-1);
  readonly #nackMs = new Float64Array(NACK_SLOTS);

  /** When `takePicture` has something; Infinity where nobody asked. */
  get dueMs(): number {
    return this.#isPictureWanted ? this.#askedPictureMs + PICTURE_WINDOW_MS : Number.POSITIVE_INFINITY;
  }

  /** A receiver needs a whole picture (PLI, FIR). */
  wantPicture(): void {
    this.#isPictureWanted = true;
  }

  /** Whether the source is to be asked now: at once, or when the window of the last request is over. */
  takePicture(nowMs: number, windowMs = PICTURE_WINDOW_MS): boolean {
    if (!this.#isPictureWanted || nowMs < this.#askedPictureMs + windowMs) return false;
    this.#isPictureWanted = false;
    this.#askedPictureMs = nowMs;
    return true;
  }

  /** Whether the source is to be asked for this packet: not while the answer to the last request may be on its way. */
  takeNack(seq: number, nowMs: number): boolean {
    const slot = seq & (NACK_SLOTS - 1);
    if (this.#nackSeq[slot] === seq && nowMs - this.#nackMs[slot]! < NACK_WINDOW_MS) return false;
    this.#nackSeq[slot] = seq;
    this.#nackMs[slot] = nowMs;
    return true;
  }
}
