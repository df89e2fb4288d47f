// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** Hands out small numbers that are used again: indexes of tables. */
export class NumberPool {
  readonly #capacity: number;
  readonly #free: number[] = [];
  #end = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Numbers that are taken. */
  get size(): number {
    return this.#end - this.#free.length;
  }

  /** A number that nobody has, or -1. */
  take(): number {
    return this.#free.pop() ?? (this.#end < this.#capacity ? this.#end++ : -1);
  }

  give(number: number): void {
    this.#free.push(number);
  }
}
