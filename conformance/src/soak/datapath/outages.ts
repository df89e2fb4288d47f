// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** When workers were down: from their end until every flow was seen to run again. */
export class Outages {
  #isNow = false;
  #lastEndMs = Number.NEGATIVE_INFINITY;
  count = 0;

  begin(): void {
    this.#isNow = true;
    this.count++;
  }

  end(): void {
    this.#isNow = false;
    this.#lastEndMs = performance.now();
  }

  /** Whether one was, or began, after this time of `performance.now()`. */
  since(ms: number): boolean {
    return this.#isNow || this.#lastEndMs >= ms;
  }
}
