// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Candidate, PickerWorld } from "../picker.ts";
import { type Hash64, xxHash64 } from "../xx-hash64.ts";

/** Numbers from 0 to 1 that are the same in each run (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A world in which nothing happens by itself; `active` counts sessions by slot. */
export class TestWorld implements PickerWorld {
  readonly random: () => number;
  readonly active = new Map<number, number>();
  start = 0;
  timeMs = 1_000_000;

  constructor(seed = 1) {
    this.random = seededRandom(seed);
  }

  readonly nowMs = (): number => this.timeMs;
  readonly bytesBySlot = new Map<number, number>();
  readonly bytes = (counters: number): number => this.bytesBySlot.get(counters) ?? 0;
  readonly activeSessions = (counters: number): number => this.active.get(counters) ?? 0;
}

/** Endpoints 10.0.0.1:5004 and so on, one for each weight. */
export function candidates(...weights: readonly number[]): readonly Candidate[] {
  return weights.map((weight, index) => ({
    key: `10.0.${index >> 8}.${(index & 255) + 1}:5004`,
    weight,
    sinceMs: 0,
    counters: index,
  }));
}

/** The hash of text, as that of a client is made. */
export function hashOf(text: string): Hash64 {
  const hash = { high: 0, low: 0 };
  const bytes = Buffer.from(text);
  xxHash64(bytes, bytes.length, hash);
  return hash;
}

/** The hash of the n-th of many clients. */
export function clientHash(n: number): Hash64 {
  return hashOf(`192.168.${(n >> 8) & 255}.${n & 255}/${n >> 16}`);
}

/** How often each of `members` was chosen in so many draws, each by the hash of another client. */
export function countChoices(
  pick: (high: number, low: number) => number,
  draws: number,
  members: number,
): readonly number[] {
  const counts = new Array<number>(members).fill(0);
  for (let draw = 0; draw < draws; draw++) {
    const { high, low } = clientHash(draw);
    counts[pick(high, low)]! += 1;
  }
  return counts;
}

/** Pearson's statistic of counts against weights, divided by its degrees of freedom: about 1 for honest draws. */
export function chiSquare(counts: readonly number[], weights: readonly number[]): number {
  const draws = counts.reduce((sum, count) => sum + count, 0);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const statistic = counts.reduce((sum, count, index) => {
    const expected = (draws * weights[index]!) / total;
    return sum + (count - expected) ** 2 / expected;
  }, 0);
  return statistic / (counts.length - 1);
}
