// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/**
 * The media ports of one local address, each taken by one flow at most. A port that is given back is the last to be
 * taken again: datagrams that are still under way to it do not meet another flow.
 */
export class PortRange {
  readonly #first: number;
  readonly #taken: Uint8Array;
  #cursor: number;
  #free: number;

  /**
   * The range `[first, last]`, both included; `first` is even. The first to be taken is the port at `start` in it: proxies
   * of one host that begin at different places rarely meet.
   */
  constructor(first: number, last: number, start = 0) {
    this.#cursor = start;
    this.#first = first;
    this.#taken = new Uint8Array(last - first + 1);
    this.#free = this.#taken.length;
  }

  /** Ports that are free. */
  get free(): number {
    return this.#free;
  }

  /**
   * Takes the next `count` ports in a row, 1 or 2; two begin at an even number (RFC 3550 section 11). Returns the first,
   * or -1 where there are none. Asked again it goes on behind: a port that another program has is found out by binding.
   */
  take(count: 1 | 2): number {
    const size = this.#taken.length;
    for (let tried = 0; tried < size; tried++) {
      const at = (this.#cursor + tried) % size;
      if (count === 2 && (at % 2 === 1 || at + 1 >= size || this.#taken[at + 1] !== 0)) continue;
      if (this.#taken[at] !== 0) continue;
      this.#taken.fill(1, at, at + count);
      this.#free -= count;
      this.#cursor = (at + count) % size;
      return this.#first + at;
    }
    return -1;
  }

  /** Takes a port that the user named. Returns false where it is taken; one outside of the range is not kept here. */
  claim(port: number): boolean {
    const at = port - this.#first;
    if (at < 0 || at >= this.#taken.length) return true;
    if (this.#taken[at] !== 0) return false;
    this.#taken[at] = 1;
    this.#free--;
    return true;
  }

  /** Gives a port back. */
  give(port: number): void {
    const at = port - this.#first;
    if (this.#taken[at] !== 1) return;
    this.#taken[at] = 0;
    this.#free++;
  }
}
