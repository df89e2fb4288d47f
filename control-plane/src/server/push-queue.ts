// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** How many streams are served in one turn: about 5 ms of work, after which requests that came meanwhile go first. */
const SLICE = 64;

/**
 * Spreads pushes to many streams over turns of the event loop. Between two turns requests are read, so they never wait
 * for all pushes, and pushes go on in every turn, so requests cannot starve them. A stream waits at most once,
 * whatever changed how often meanwhile.
 */
export class PushQueue {
  readonly #waiting = new Set<() => void>();
  readonly #nextTurn: (run: () => void) => void;
  #isScheduled = false;

  constructor(nextTurn: (run: () => void) => void = setImmediate) {
    this.#nextTurn = nextTurn;
  }

  add(push: () => void): void {
    this.#waiting.add(push);
    this.#schedule();
  }

  remove(push: () => void): void {
    this.#waiting.delete(push);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#nextTurn(() => this.#serve());
  }

  #serve(): void {
    this.#isScheduled = false;
    let left = SLICE;
    for (const push of this.#waiting) {
      if (left-- === 0) break;
      this.#waiting.delete(push);
      push();
    }
    if (this.#waiting.size > 0) this.#schedule();
  }
}
