// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// LZ4 blocks (lz4_Block_format.md): runs of literals, each followed by a match in what came before. Blocks are shorter
// than 64 KiB, so that every place before is within reach of a match's two bytes.

/** The format's own: shorter matches do not pay, and a block ends in literals. */
const MIN_MATCH: u32 = 4;
const LAST_LITERALS: u32 = 5;
const MATCH_LIMIT: u32 = 12;

/** Lengths from 15 on go on in further bytes. */
const RUN_MASK: u32 = 15;

const HASH_BITS: u32 = 12;
const table = memory.data(8192, 4);

/** Compresses `size` bytes; returns how many came out, or 0 where they would be more than `room`. */
export function compressBlock(from: usize, size: u32, to: usize, room: u32): u32 {
  if (size < MATCH_LIMIT + 1) return 0;
  memory.fill(table, 0, 8192);
  const matchEnd = size - LAST_LITERALS;
  const last = size - MATCH_LIMIT;
  let anchor: u32 = 0;
  let out: u32 = 0;
  let at: u32 = 1;
  while (at < last) {
    const place = table + ((<usize>hashOf(from + at)) << 1);
    const before = <u32>load<u16>(place);
    store<u16>(place, <u16>at);
    if (before >= at || load<u32>(from + before) != load<u32>(from + at)) {
      at++;
      continue;
    }
    let length = MIN_MATCH;
    while (at + length < matchEnd && load<u8>(from + before + length) == load<u8>(from + at + length))
      length++;
    const literals = at - anchor;
    // A token, the literals with their length, two bytes of distance, and the match's length: no more than this.
    if (out + literals + literals / 255 + length / 255 + 6 > room) return 0;
    out = putRun(to, out, from + anchor, literals, length - MIN_MATCH);
    store<u16>(to + out, <u16>(at - before));
    out = putLength(to, out + 2, length - MIN_MATCH);
    at += length;
    anchor = at;
  }
  const rest = size - anchor;
  if (out + rest + rest / 255 + 2 > room) return 0;
  return putRun(to, out, from + anchor, rest, 0);
}

/** Expands a block to exactly `length` bytes; false where it is damaged. Reads and writes within both, whatever it is. */
export function expandBlock(from: usize, size: u32, to: usize, length: u32): bool {
  let at: u32 = 0;
  let out: u32 = 0;
  while (at < size) {
    const token = <u32>load<u8>(from + at++);
    let literals = token >> 4;
    if (literals == RUN_MASK) {
      let more: u32 = 255;
      while (more == 255 && at < size) {
        more = <u32>load<u8>(from + at++);
        literals += more;
      }
    }
    if (literals > size - at || literals > length - out) return false;
    memory.copy(to + out, from + at, literals);
    at += literals;
    out += literals;
    if (at == size) return out == length;
    if (size - at < 2) return false;
    const distance = <u32>load<u16>(from + at);
    at += 2;
    let match = token & RUN_MASK;
    if (match == RUN_MASK) {
      let more: u32 = 255;
      while (more == 255 && at < size) {
        more = <u32>load<u8>(from + at++);
        match += more;
      }
    }
    match += MIN_MATCH;
    if (distance == 0 || distance > out || match > length - out) return false;
    // Byte by byte: a match may reach into what it writes.
    for (let i: u32 = 0; i < match; i++) store<u8>(to + out + i, load<u8>(to + out + i - distance));
    out += match;
  }
  return false;
}

/** A token with both lengths, the rest of the literals' length, and the literals. */
function putRun(to: usize, at: u32, literals: usize, count: u32, match: u32): u32 {
  store<u8>(to + at, <u8>((min(count, RUN_MASK) << 4) | min(match, RUN_MASK)));
  const out = putLength(to, at + 1, count);
  memory.copy(to + out, literals, count);
  return out + count;
}

function putLength(to: usize, at: u32, length: u32): u32 {
  if (length < RUN_MASK) return at;
  let rest = length - RUN_MASK;
  let out = at;
  for (; rest >= 255; rest -= 255) store<u8>(to + out++, 255);
  store<u8>(to + out++, <u8>rest);
  return out;
}

/** Fibonacci hashing of four bytes. */
function hashOf(at: usize): u32 {
  return (load<u32>(at) * 2_654_435_761) >> (32 - HASH_BITS);
}
