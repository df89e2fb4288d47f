// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** The longest delay of a timer. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** One timer for whatever a filter has due next. It is only set anew where that moved. */
export class GuestTimer {
  readonly #onDue: () => void;
  #timer: NodeJS.Timeout | undefined;
  #dueMs = Number.POSITIVE_INFINITY;

  constructor(onDue: () => void) {
    this.#onDue = onDue;
  }

  /** Fires after so many milliseconds, and not before; never for Infinity. */
  set(delayMs: number): void {
    const dueMs = performance.now() + delayMs;
    if (dueMs === this.#dueMs || Math.abs(dueMs - this.#dueMs) < 1) return;
    this.clear();
    if (delayMs === Number.POSITIVE_INFINITY) return;
    this.#dueMs = dueMs;
    this.#timer = setTimeout(
      () => {
        this.#dueMs = Number.POSITIVE_INFINITY;
        this.#onDue();
      },
      Math.min(Math.ceil(delayMs), MAX_DELAY_MS),
    );
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#dueMs = Number.POSITIVE_INFINITY;
  }
}
