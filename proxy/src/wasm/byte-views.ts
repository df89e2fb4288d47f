// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** How many views are kept: a turn's runs of 32 datagrams each, several times over. A power of two. */
const PLACES = 2048;

/** Views made in one batch at most, so that traffic of ever new lengths does not leave one behind for each datagram. */
const NEW_PER_BATCH = 8;

const NO_BYTES = new Uint8Array(0);

/**
 * Views on parts of one memory, kept for when the same part is wanted again, as it is batch after batch: `set` from a view
 * copies a datagram six times as fast as a loop over its words, but a view made for it costs as much again and is garbage.
 */
export class ByteViews {
  /** The whole memory that the views are on. */
  #bytes: Uint8Array = NO_BYTES;
  /** The memory of the batch at hand, and whether it is another one. */
  #last: Uint8Array = NO_BYTES;
  #isOther = false;
  // By place; empty until the first view is wanted, for many filters look at headers alone.
  #views: Uint8Array[] = [];
  #starts = new Uint32Array(0);
  #lengths = new Uint32Array(0);
  #left = 0;

  /**
   * Begins a batch in `bytes`, a whole memory. Views are on one memory alone, and go over to another when it is asked for
   * twice in succession: a batch in between that lies elsewhere has none.
   */
  begin(bytes: Uint8Array): void {
    this.#left = NEW_PER_BATCH;
    const isWantedAgain = bytes === this.#last;
    this.#last = bytes;
    this.#isOther = bytes !== this.#bytes && !isWantedAgain && this.#bytes.length > 0;
    if (this.#isOther || bytes === this.#bytes) return;
    this.#bytes = bytes;
    this.#views.fill(NO_BYTES);
    this.#lengths.fill(0);
  }

  /** The `length` bytes from `start`, at least one; undefined where no view is there and none is to be made. */
  find(start: number, length: number): Uint8Array | undefined {
    if (this.#isOther) return undefined;
    const place = (Math.imul(start + (length << 20), 0x9e37_79b1) >>> 16) & (PLACES - 1);
    if (this.#starts[place] === start && this.#lengths[place] === length) return this.#views[place];
    if (this.#left === 0) return undefined;
    this.#left--;
    if (this.#views.length === 0) {
      this.#views = new Array<Uint8Array>(PLACES).fill(NO_BYTES);
      this.#starts = new Uint32Array(PLACES);
      this.#lengths = new Uint32Array(PLACES);
    }
    const view = this.#bytes.subarray(start, start + length);
    this.#starts[place] = start;
    this.#lengths[place] = length;
    this.#views[place] = view;
    return view;
  }
}
