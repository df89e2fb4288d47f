// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type CounterPage, FIRST_FILTER_SLOT, WORKER_COUNTERS } from "./counters.ts";

/** Hands out blocks of the lower part of all workers' counter pages: the same slots in each. */
export class CounterBlocks {
  readonly #pages: readonly CounterPage[];
  readonly #free = new Map<number, number[]>();
  #next: number = WORKER_COUNTERS;

  constructor(pages: readonly CounterPage[]) {
    this.#pages = pages;
  }

  /** The first slot of a block of `size` zeros. Throws a RangeError where none is left. */
  allocate(size: number): number {
    const reused = this.#free.get(size)?.pop();
    const slot = reused ?? this.#next;
    if (reused === undefined) {
      if (slot + size > FIRST_FILTER_SLOT)
        throw new RangeError("no counters left: too many listeners, clusters or endpoints");
      this.#next += size;
    }
    for (const page of this.#pages) page.fill(0, slot, slot + size);
    return slot;
  }

  /** Takes a block back. No worker writes to it any more. */
  free(slot: number, size: number): void {
    const free = this.#free.get(size);
    if (free) free.push(slot);
    else this.#free.set(size, [slot]);
  }

  /** The sum of a counter over all workers. */
  total(slot: number): number {
    return this.#pages.reduce((sum, page) => sum + page[slot]!, 0);
  }
}
