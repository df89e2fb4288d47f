// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Small numbers in the order in which they are due, and in the order of arrival where that is the same. A heap in
 * typed arrays: it allocates nothing after its construction, whatever comes and goes.
 */
export class DueQueue {
  readonly #heap: Uint32Array;
  /** Where each number is in the heap; -1 where it is not. */
  readonly #places: Int32Array;
  readonly #dueMs: Float64Array;
  readonly #arrivals: Float64Array;
  #size = 0;
  #arrived = 0;

  /** For the numbers from 0 to `capacity - 1`. */
  constructor(capacity: number) {
    this.#heap = new Uint32Array(capacity);
    this.#places = new Int32Array(capacity).fill(-1);
    this.#dueMs = new Float64Array(capacity);
    this.#arrivals = new Float64Array(capacity);
  }

  /** When the first is due; Infinity where there is none. */
  get nextMs(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : this.#dueMs[this.#heap[0]!]!;
  }

  has(number: number): boolean {
    return this.#places[number]! >= 0;
  }

  /** Puts a number in, or moves it to another time. */
  add(number: number, dueMs: number): void {
    this.remove(number);
    this.#dueMs[number] = dueMs;
    this.#arrivals[number] = this.#arrived++;
    this.#place(this.#size++, number);
    this.#rise(this.#size - 1);
  }

  /** Takes a number out; does nothing where it is not in. */
  remove(number: number): void {
    const at = this.#places[number]!;
    if (at < 0) return;
    this.#places[number] = -1;
    const last = this.#heap[--this.#size]!;
    if (last === number) return;
    this.#place(at, last);
    this.#rise(at);
    this.#sink(this.#places[last]!);
  }

  /** Takes out the first number that is due at `nowMs`; -1 where none is. */
  take(nowMs: number): number {
    if (this.nextMs > nowMs) return -1;
    const first = this.#heap[0]!;
    this.remove(first);
    return first;
  }

  #rise(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >>> 1;
      if (!this.#isBefore(this.#heap[at]!, this.#heap[parent]!)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(from: number): void {
    for (let at = from; ; ) {
      let least = at;
      for (let child = 2 * at + 1; child <= 2 * at + 2 && child < this.#size; child++) {
        if (this.#isBefore(this.#heap[child]!, this.#heap[least]!)) least = child;
      }
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const byTime = this.#dueMs[a]! - this.#dueMs[b]!;
    return byTime < 0 || (byTime === 0 && this.#arrivals[a]! < this.#arrivals[b]!);
  }

  #swap(a: number, b: number): void {
    const number = this.#heap[a]!;
    this.#place(a, this.#heap[b]!);
    this.#place(b, number);
  }

  #place(at: number, number: number): void {
    this.#heap[at] = number;
    this.#places[number] = at;
  }
}
