// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** One memory under both views; both begin at its first byte. */
export interface MemoryViews {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
}

/**
 * Copies bytes between two memories whose addresses leave the same remainder by 4. Words in the middle, single
 * bytes at the ends: nothing beyond `length` is read or written. No view is made: a `subarray` per datagram costs
 * 45 ns at any length and is garbage, these loops cost 7 ns for 64 bytes and 28 ns for 128.
 */
export function copyBytes(
  to: MemoryViews,
  toAt: number,
  from: MemoryViews,
  fromAt: number,
  length: number,
): void {
  let i = 0;
  for (; i < length && ((fromAt + i) & 3) !== 0; i++) to.bytes[toAt + i] = from.bytes[fromAt + i]!;
  const words = (length - i) >>> 2;
  copyWords(to.words, (toAt + i) >>> 2, from.words, (fromAt + i) >>> 2, words);
  for (i += words << 2; i < length; i++) to.bytes[toAt + i] = from.bytes[fromAt + i]!;
}

/** Copies words; four at a time, which takes little more than half the time of one at a time. */
export function copyWords(
  to: Uint32Array,
  toAt: number,
  from: Uint32Array,
  fromAt: number,
  count: number,
): void {
  const end = fromAt + count;
  let t = toAt;
  let f = fromAt;
  for (; f + 3 < end; f += 4, t += 4) {
    to[t] = from[f]!;
    to[t + 1] = from[f + 1]!;
    to[t + 2] = from[f + 2]!;
    to[t + 3] = from[f + 3]!;
  }
  for (; f < end; f++, t++) to[t] = from[f]!;
}
