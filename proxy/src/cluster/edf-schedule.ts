// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
/**
 * Earliest deadline first: members come up in proportion to their weights, evenly spaced, whatever the weights are at
 * the moment. A binary heap over typed arrays: the next member costs O(log n) and allocates nothing. Envoy's
 * EdfScheduler works the same way.
 */
export class EdfSchedule {
  readonly #deadlines: Float64Array;
  /** Of two members with one deadline, the one that waited longer comes first. */
  readonly #turns: Float64Array;
  readonly #heap: Int32Array;
  #turn = 0;

  /** `phase(member)` is a number from 0 to 1: how much of its first interval has passed already. */
  constructor(weights: ArrayLike<number>, phase: (member: number) => number) {
    const count = weights.length;
    this.#deadlines = Float64Array.from(weights, (weight, member) => (1 - phase(member)) / weight);
    this.#turns = Float64Array.from(weights, () => this.#turn++);
    this.#heap = Int32Array.from({ length: count }, (_, member) => member);
    for (let at = (count >> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  /** The member whose turn it is. */
  get first(): number {
    return this.#heap[0]!;
  }

  /** Puts the first member back, to come up again by this weight. */
  advance(weight: number): void {
    const member = this.#heap[0]!;
    this.#deadlines[member]! += 1 / weight;
    this.#turns[member] = this.#turn++;
    this.#sink(0);
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const member = heap[from]!;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!this.#isBefore(heap[child]!, member)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = member;
  }

  #isBefore(a: number, b: number): boolean {
    const difference = this.#deadlines[a]! - this.#deadlines[b]!;
    return difference < 0 || (difference === 0 && this.#turns[a]! < this.#turns[b]!);
  }
}
