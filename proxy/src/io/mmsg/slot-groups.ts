// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type Ring, SLOTS } from "../../datapath/ring.ts";

/** Twice the slots, so that a probe is short. A power of two. */
const TABLE_SLOTS = SLOTS * 2;

/**
 * Gathers the slots of one session, wherever they stand in a batch. Datagrams of a session keep their order, those
 * of different sessions have none: flows that take turns, as they do on a busy port, leave in runs all the same.
 */
export class SlotGroups {
  /** The first slot of each group, in the order in which their sessions first came. */
  readonly first = new Int32Array(SLOTS);
  /** By slot: the next of its group, or -1. */
  readonly next = new Int32Array(SLOTS);
  /** How many groups there are. */
  count = 0;
  readonly #ring: Ring;
  /** Open addressing by session: the last slot of its group + 1, or 0 where empty. */
  readonly #last = new Int32Array(TABLE_SLOTS);

  constructor(ring: Ring) {
    this.#ring = ring;
  }

  /** Groups slots [first, end) that have a session. */
  group(first: number, end: number): void {
    const { session } = this.#ring;
    const last = this.#last;
    last.fill(0);
    this.count = 0;
    for (let slot = first; slot < end; slot++) {
      const wanted = session[slot]!;
      if (wanted < 0) continue;
      this.next[slot] = -1;
      let at = wanted & (TABLE_SLOTS - 1);
      while (last[at] !== 0 && session[last[at]! - 1] !== wanted) at = (at + 1) & (TABLE_SLOTS - 1);
      if (last[at] === 0) this.first[this.count++] = slot;
      else this.next[last[at]! - 1] = slot;
      last[at] = slot + 1;
    }
  }
}
