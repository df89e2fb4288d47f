// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Candidate, Picker } from "./picker.ts";
import { type Hash64, isBelow64, xxHash64 } from "./xx-hash64.ts";

/** Options of RING_HASH, by Envoy's names. */
export interface RingHashOptions {
  readonly minimumRingSize: number;
  readonly maximumRingSize: number;
}

/**
 * Places of the lightest endpoint while the ring stays below `STEADY_RING_SIZE`, whatever number of others there is:
 * one that goes or comes then moves no keys but its own. Envoy gives all endpoints more places when one goes, which
 * moves keys between the others. 256 places keep shares within some 6 percent of the weights.
 */
const STEADY_PLACES = 256;
const STEADY_RING_SIZE = 8192;

/**
 * RING_HASH: each endpoint stands on a ring at the XXH64 of `ip:port_0`, `ip:port_1` and so on, as often as its
 * weight asks; a session goes to the endpoint that follows its hash. From a `minimum_ring_size` of 8192 on the ring
 * is the one that Envoy makes of the same endpoints in the same order.
 */
export class RingHashPicker implements Picker {
  readonly #high: Uint32Array;
  readonly #low: Uint32Array;
  readonly #members: Int32Array;

  constructor(candidates: readonly Candidate[], options: RingHashOptions) {
    const entries = placeOnRing(candidates, options);
    const order = Int32Array.from({ length: entries.count }, (_, at) => at).sort(
      (a, b) => entries.high[a]! - entries.high[b]! || entries.low[a]! - entries.low[b]!,
    );
    this.#high = Uint32Array.from(order, (at) => entries.high[at]!);
    this.#low = Uint32Array.from(order, (at) => entries.low[at]!);
    this.#members = Int32Array.from(order, (at) => entries.members[at]!);
  }

  /** Places on the ring. */
  get size(): number {
    return this.#members.length;
  }

  pick(high: number, low: number): number {
    let from = 0;
    let to = this.#members.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (isBelow64(this.#high[middle]!, this.#low[middle]!, high, low)) from = middle + 1;
      else to = middle;
    }
    return this.#members[from === this.#members.length ? 0 : from]!;
  }
}

interface RingEntries {
  readonly count: number;
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  readonly members: Int32Array;
}

/** The lightest endpoint has a whole number of places where the limits let it; the others in proportion. */
function placeOnRing(candidates: readonly Candidate[], options: RingHashOptions): RingEntries {
  const total = candidates.reduce((sum, { weight }) => sum + weight, 0);
  const least = candidates.reduce((minimum, { weight }) => Math.min(minimum, weight), Infinity) / total;
  const places = Math.max(
    Math.ceil(least * options.minimumRingSize),
    Math.min(STEADY_PLACES, Math.ceil(least * STEADY_RING_SIZE)),
  );
  const scale = Math.min(places / least, options.maximumRingSize);
  const room = Math.ceil(scale) + 1;
  const high = new Uint32Array(room);
  const low = new Uint32Array(room);
  const members = new Int32Array(room);
  const hash: Hash64 = { high: 0, low: 0 };
  const text = Buffer.alloc(128);
  let count = 0;
  let target = 0;
  candidates.forEach(({ key, weight }, member) => {
    // Targets run on over the endpoints, so that fractions of places are not lost at each.
    target += (scale * weight) / total;
    const prefixLength = text.write(`${key}_`, "latin1");
    for (let place = 0; count < target && count < room; place++) {
      xxHash64(text, prefixLength + text.write(String(place), prefixLength, "latin1"), hash);
      high[count] = hash.high;
      low[count] = hash.low;
      members[count++] = member;
    }
  });
  return { count, high, low, members };
}
