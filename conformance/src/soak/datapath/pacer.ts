// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

const INTERVAL_MS = 5;
/** A pause of the machine is not made up for by a flood. */
const MOST_AT_ONCE = 50;

/** Calls something at a steady rate, several times in a row where timers are too coarse for it. */
export class Pacer {
  readonly #timer: NodeJS.Timeout;

  constructor(perSecond: number, call: () => void) {
    let lastMs = performance.now();
    let due = 0;
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      due = Math.min(MOST_AT_ONCE, due + ((nowMs - lastMs) / 1000) * perSecond);
      lastMs = nowMs;
      for (; due >= 1; due--) call();
    }, INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
