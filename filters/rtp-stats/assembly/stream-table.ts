// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Stream } from "./stream";

/** Streams that are kept, whatever the input; the least recently seen make room. About one megabyte. */
export const MAX_STREAMS: u32 = 4096;

/** Twice as many, so that probing ends soon. A power of two. */
const INDEX_SLOTS: u32 = 8192;
const INDEX_MASK: u32 = INDEX_SLOTS - 1;

/** Streams compared when one must be forgotten. A bound on the work per datagram, and close to the oldest. */
const EVICTION_SAMPLE: u32 = 16;

const streamBytes: usize = offsetof<Stream>();

/** Per index slot the stream's number plus one; 0 where it is free. */
const index = memory.data(16384, 64);
/** Per stream its key, 0 where it is free: closing a session reads these and not the streams. */
const keys = memory.data(16384, 64);
/** The numbers of the streams that were freed. */
const freed = memory.data(8192, 64);

let streams: usize = 0;
let seed: u32 = 0;
let usedCount: u32 = 0;
let freedCount: u32 = 0;
let evictionHand: u32 = 0;
let last: Stream = changetype<Stream>(0);

/**
 * Makes the table. `hashSeed` should not be known outside: sources that choose their SSRCs could otherwise make
 * all of them meet in one slot.
 */
export function createTable(hashSeed: u32): void {
  streams = heap.alloc(<usize>MAX_STREAMS * streamBytes);
  seed = hashSeed;
}

/** How many stream numbers have ever been in use: the bound for `streamAt`. */
export function tableSize(): u32 {
  return usedCount;
}

/** Stream number `i`, whose `key` is 0 where it is free. */
export function streamAt(i: u32): Stream {
  return changetype<Stream>(streams + <usize>i * streamBytes);
}

/** The stream of that key and SSRC, made and cleared where it is new. */
export function findOrAdd(key: u32, ssrc: u32, now: u32): Stream {
  // Datagrams of one stream come in runs.
  if (changetype<usize>(last) == 0 || last.ssrc != ssrc || last.key != key) last = lookUp(key, ssrc, now);
  last.seenAt = now;
  return last;
}

/** Forgets the streams of a session. */
export function removeSession(session: u32): void {
  for (let i: u32 = 0; i < usedCount; i++) {
    const key = load<u32>(keys + ((<usize>i) << 2));
    if (key >> 1 == session && key != 0) remove(i);
  }
}

function lookUp(key: u32, ssrc: u32, now: u32): Stream {
  let slot = hash(key, ssrc);
  for (let entry = entryAt(slot); entry != 0; entry = entryAt(slot)) {
    const stream = streamAt(entry - 1);
    if (stream.ssrc == ssrc && stream.key == key) return stream;
    slot = (slot + 1) & INDEX_MASK;
  }
  return add(key, ssrc, now);
}

function add(key: u32, ssrc: u32, now: u32): Stream {
  if (usedCount == MAX_STREAMS && freedCount == 0) remove(leastRecent(now));
  let i = usedCount;
  if (freedCount > 0) {
    freedCount--;
    i = <u32>load<u16>(freed + ((<usize>freedCount) << 1));
  } else {
    usedCount++;
  }
  const stream = streamAt(i);
  memory.fill(changetype<usize>(stream), 0, streamBytes);
  stream.key = key;
  stream.ssrc = ssrc;
  store<u32>(keys + ((<usize>i) << 2), key);
  let slot = hash(key, ssrc);
  while (entryAt(slot) != 0) slot = (slot + 1) & INDEX_MASK;
  setEntry(slot, i + 1);
  return stream;
}

function leastRecent(now: u32): u32 {
  let oldest = evictionHand;
  let oldestAge: u32 = 0;
  for (let n: u32 = 0; n < EVICTION_SAMPLE; n++) {
    const age = now - streamAt(evictionHand).seenAt;
    if (age > oldestAge) {
      oldestAge = age;
      oldest = evictionHand;
    }
    evictionHand = (evictionHand + 1) & (MAX_STREAMS - 1);
  }
  return oldest;
}

function remove(i: u32): void {
  const stream = streamAt(i);
  let slot = hash(stream.key, stream.ssrc);
  while (entryAt(slot) != i + 1) slot = (slot + 1) & INDEX_MASK;
  closeGap(slot);
  stream.key = 0;
  store<u32>(keys + ((<usize>i) << 2), 0);
  store<u16>(freed + ((<usize>freedCount) << 1), <u16>i);
  freedCount++;
  last = changetype<Stream>(0);
}

/** Moves later entries of the run forward, so that no mark of a removed one must stay behind. */
function closeGap(slot: u32): void {
  let gap = slot;
  let next = slot;
  while (true) {
    next = (next + 1) & INDEX_MASK;
    const entry = entryAt(next);
    if (entry == 0) break;
    const stream = streamAt(entry - 1);
    const home = hash(stream.key, stream.ssrc);
    if (((next - home) & INDEX_MASK) >= ((next - gap) & INDEX_MASK)) {
      setEntry(gap, entry);
      gap = next;
    }
  }
  setEntry(gap, 0);
}

/** Mixes as the finaliser of MurmurHash3 does. */
function hash(key: u32, ssrc: u32): u32 {
  let h = (ssrc ^ seed) * 0x85ebca6b;
  h = (h ^ (h >> 15) ^ key) * 0xc2b2ae35;
  h = (h ^ (h >> 13)) * 0x9e3779b1;
  return (h >> 16) & INDEX_MASK;
}

function entryAt(slot: u32): u32 {
  return <u32>load<u16>(index + ((<usize>slot) << 1));
}

function setEntry(slot: u32, entry: u32): void {
  store<u16>(index + ((<usize>slot) << 1), <u16>entry);
}
