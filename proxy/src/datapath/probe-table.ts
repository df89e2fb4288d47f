// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/**
 * A hash table of numbers from 0 on, by open addressing with linear probing; at most half full. Whoever looks something up
 * walks `slots` from the hash, masked, to the first that is empty. What a number's hash is, is its owner's to know.
 */
export class ProbeTable {
  /** Number + 1, or 0 where empty. */
  readonly slots: Int32Array;
  /** One less than the length of `slots`, a power of two. */
  readonly mask: number;
  readonly #hashOf: (number: number) => number;

  /** For at most `capacity` numbers. `hashOf` gives what each that is in the table was inserted with. */
  constructor(capacity: number, hashOf: (number: number) => number) {
    this.slots = new Int32Array(2 ** Math.ceil(Math.log2(capacity * 2)));
    this.mask = this.slots.length - 1;
    this.#hashOf = hashOf;
  }

  insert(number: number, hashed: number): void {
    let at = hashed & this.mask;
    while (this.slots[at] !== 0) at = (at + 1) & this.mask;
    this.slots[at] = number + 1;
  }

  /**
   * Takes out a number that is in the table. There are no tombstones: entries behind the gap move up where it lies on their
   * way (Knuth 6.4 R).
   */
  remove(number: number): void {
    const { slots, mask } = this;
    let gap = this.#hashOf(number) & mask;
    while (slots[gap] !== number + 1) gap = (gap + 1) & mask;
    slots[gap] = 0;
    for (let at = (gap + 1) & mask; slots[at] !== 0; at = (at + 1) & mask) {
      const home = this.#hashOf(slots[at]! - 1) & mask;
      if (((at - home) & mask) < ((at - gap) & mask)) continue;
      slots[gap] = slots[at]!;
      slots[at] = 0;
      gap = at;
    }
  }
}
