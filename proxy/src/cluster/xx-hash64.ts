// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
/** An unsigned 64-bit number in two halves: numbers of this language hold 53 bits, and a BigInt would be allocated. */
export interface Hash64 {
  high: number;
  low: number;
}

/** The primes of the algorithm, each as its high and its low half. */
const P1 = { high: 0x9e3779b1, low: 0x85ebca87 } as const;
const P2 = { high: 0xc2b2ae3d, low: 0x27d4eb4f } as const;
const P3 = { high: 0x165667b1, low: 0x9e3779f9 } as const;
const P4 = { high: 0x85ebca77, low: 0xc2b2ae63 } as const;
const P5 = { high: 0x27d4eb2f, low: 0x165667c5 } as const;
const STRIPE_BYTES = 32;

// The number under way. Calls never overlap, so one place serves all and nothing is allocated.
let high = 0;
let low = 0;
const lanes: readonly Hash64[] = Array.from({ length: 4 }, () => ({ high: 0, low: 0 }));

/**
 * Hashes the first `length` bytes with XXH64 (xxhash specification 0.1.1, section "XXH64 algorithm") and writes the
 * result to `out`. This is the hash by which Envoy places endpoints and keys in RING_HASH and MAGLEV.
 */
export function xxHash64(bytes: Uint8Array, length: number, out: Hash64, seed = 0): void {
  let at = 0;
  if (length >= STRIPE_BYTES) {
    at = hashStripes(bytes, length, seed);
  } else {
    set(0, seed);
    add(P5.high, P5.low);
  }
  add(0, length);
  for (; at + 8 <= length; at += 8) {
    const ownHigh = high;
    const ownLow = low;
    round(0, 0, word(bytes, at + 4), word(bytes, at));
    set(high ^ ownHigh, low ^ ownLow);
    rotate(27);
    multiply(P1.high, P1.low);
    add(P4.high, P4.low);
  }
  if (at + 4 <= length) {
    const ownHigh = high;
    const ownLow = low;
    set(0, word(bytes, at));
    multiply(P1.high, P1.low);
    set(high ^ ownHigh, low ^ ownLow);
    rotate(23);
    multiply(P2.high, P2.low);
    add(P3.high, P3.low);
    at += 4;
  }
  for (; at < length; at++) {
    const ownHigh = high;
    const ownLow = low;
    set(0, bytes[at]!);
    multiply(P5.high, P5.low);
    set(high ^ ownHigh, low ^ ownLow);
    rotate(11);
    multiply(P1.high, P1.low);
  }
  avalanche();
  out.high = high;
  out.low = low;
}

/** The remainder of a 64-bit number; the divisor is below 2^26, so that every product is exact. */
export function remainder64({ high: h, low: l }: Hash64, divisor: number): number {
  return ((h % divisor) * (2 ** 32 % divisor) + (l % divisor)) % divisor;
}

/** Whether `a` is below `b`, given in halves. */
export function isBelow64(aHigh: number, aLow: number, bHigh: number, bLow: number): boolean {
  return aHigh < bHigh || (aHigh === bHigh && aLow < bLow);
}

/** Runs four lanes over the whole stripes and merges them. Returns where the rest begins. */
function hashStripes(bytes: Uint8Array, length: number, seed: number): number {
  set(0, seed);
  add(P1.high, P1.low);
  add(P2.high, P2.low);
  keep(0);
  set(0, seed);
  add(P2.high, P2.low);
  keep(1);
  set(0, seed);
  keep(2);
  set(0, seed);
  add(~P1.high >>> 0, (~P1.low >>> 0) + 1);
  keep(3);
  let at = 0;
  for (; at + STRIPE_BYTES <= length; at += STRIPE_BYTES) {
    for (let lane = 0; lane < 4; lane++) {
      const { high: laneHigh, low: laneLow } = lanes[lane]!;
      round(laneHigh, laneLow, word(bytes, at + lane * 8 + 4), word(bytes, at + lane * 8));
      keep(lane);
    }
  }
  mergeLanes();
  return at;
}

const LANE_ROTATIONS = [1, 7, 12, 18] as const;

function mergeLanes(): void {
  let sumHigh = 0;
  let sumLow = 0;
  for (let lane = 0; lane < 4; lane++) {
    set(lanes[lane]!.high, lanes[lane]!.low);
    rotate(LANE_ROTATIONS[lane]!);
    add(sumHigh, sumLow);
    sumHigh = high;
    sumLow = low;
  }
  for (const { high: laneHigh, low: laneLow } of lanes) {
    round(0, 0, laneHigh, laneLow);
    set(high ^ sumHigh, low ^ sumLow);
    multiply(P1.high, P1.low);
    add(P4.high, P4.low);
    sumHigh = high;
    sumLow = low;
  }
}

/** One lane takes eight bytes: multiply, add, rotate, multiply. */
function round(laneHigh: number, laneLow: number, inputHigh: number, inputLow: number): void {
  set(inputHigh, inputLow);
  multiply(P2.high, P2.low);
  add(laneHigh, laneLow);
  rotate(31);
  multiply(P1.high, P1.low);
}

function avalanche(): void {
  set(high, low ^ (high >>> 1)); // The number xor itself shifted right by 33.
  multiply(P2.high, P2.low);
  set(high ^ (high >>> 29), low ^ ((low >>> 29) | (high << 3)));
  multiply(P3.high, P3.low);
  set(high, low ^ high); // Shifted right by 32.
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

function set(newHigh: number, newLow: number): void {
  high = newHigh >>> 0;
  low = newLow >>> 0;
}

function keep(lane: number): void {
  lanes[lane]!.high = high;
  lanes[lane]!.low = low;
}

/** The low half may be 2^32, a carry by itself. */
function add(otherHigh: number, otherLow: number): void {
  const sum = low + otherLow;
  set(high + otherHigh + (sum > 0xffff_ffff ? 1 : 0), sum);
}

function multiply(otherHigh: number, otherLow: number): void {
  const crossed = Math.imul(high, otherLow) + Math.imul(low, otherHigh);
  set(upperProduct(low, otherLow) + crossed, Math.imul(low, otherLow));
}

/** The upper 32 bits of a product of two 32-bit numbers, by 16-bit digits. */
function upperProduct(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  return a1 * b1 + (middle >>> 16) + (((middle & 0xffff) + a0 * b1) >>> 16);
}

/** Rotates left by 1 to 31 bits. */
function rotate(bits: number): void {
  set((high << bits) | (low >>> (32 - bits)), (low << bits) | (high >>> (32 - bits)));
}
