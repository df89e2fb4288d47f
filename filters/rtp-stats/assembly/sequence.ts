// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Count, count } from "./counters";
import { Stream } from "./stream";

// RFC 3550 A.1: how far a sequence may jump forward and back before it is taken for a new one.
const MAX_DROPOUT: u32 = 3000;
const MAX_MISORDER: u32 = 100;
const SEQUENCE_NUMBERS: u32 = 0x10000;

/** No sequence number: differs from all of them, as A.1 wants it of `bad_seq`. */
const NO_SEQUENCE: u32 = SEQUENCE_NUMBERS + 1;

/** Begins a sequence, as `init_seq` of RFC 3550 A.1. */
export function startSequence(stream: Stream, sequenceNumber: u32): void {
  stream.baseSeq = sequenceNumber;
  stream.maxSeq = sequenceNumber;
  stream.badSeq = NO_SEQUENCE;
  stream.cycles = 0;
  stream.received = 1;
  stream.window = 1;
  stream.windowHigh = 0;
}

/**
 * Follows the sequence as `update_seq` of RFC 3550 A.1, without its probation: a stream counts from its first
 * packet. In addition to A.1 it tells duplicates from late packets. False where the packet is so far off that it
 * only counts if the next one follows on it.
 */
export function followSequence(stream: Stream, sequenceNumber: u32): bool {
  const ahead = (sequenceNumber - stream.maxSeq) & 0xffff;
  if (ahead == 1) {
    if (sequenceNumber == 0) stream.cycles += SEQUENCE_NUMBERS;
    stream.maxSeq = sequenceNumber;
    stream.windowHigh = (stream.windowHigh << 1) | (stream.window >> 63);
    stream.window = (stream.window << 1) | 1;
    stream.received++;
    return true;
  }
  return followJump(stream, sequenceNumber, ahead);
}

/** Packets lost so far: expected less received (RFC 3550 A.3), over all restarts. */
export function lostPackets(stream: Stream): i64 {
  return stream.lostBefore + lostInSequence(stream);
}

function followJump(stream: Stream, sequenceNumber: u32, ahead: u32): bool {
  if (ahead != 0 && ahead < MAX_DROPOUT) {
    count(Count.Lost, ahead - 1);
    if (sequenceNumber < stream.maxSeq) stream.cycles += SEQUENCE_NUMBERS;
    stream.maxSeq = sequenceNumber;
    shiftWindow(stream, ahead);
  } else if (ahead == 0 || ahead > SEQUENCE_NUMBERS - MAX_MISORDER) {
    noteLate(stream, (SEQUENCE_NUMBERS - ahead) & 0xffff);
  } else if (sequenceNumber == stream.badSeq) {
    stream.lostBefore += lostInSequence(stream);
    stream.restarts++;
    count(Count.Restarts, 1);
    // The jitter starts anew as well: the new sequence has its own timestamps.
    stream.arrivedNs = 0;
    startSequence(stream, sequenceNumber);
    return true;
  } else {
    stream.badSeq = (sequenceNumber + 1) & 0xffff;
    return false;
  }
  stream.received++;
  return true;
}

/** `behind` is below `MAX_MISORDER`, so the window of 128 always reaches it. */
function noteLate(stream: Stream, behind: u32): void {
  const bit: u64 = (<u64>1) << (behind & 63);
  const seen = behind < 64 ? stream.window : stream.windowHigh;
  if ((seen & bit) != 0) {
    stream.duplicated++;
    count(Count.Duplicated, 1);
    return;
  }
  if (behind < 64) stream.window |= bit;
  else stream.windowHigh |= bit;
  stream.reordered++;
  count(Count.Reordered, 1);
}

function shiftWindow(stream: Stream, by: u32): void {
  if (by >= 128) {
    stream.windowHigh = 0;
    stream.window = 1;
  } else if (by >= 64) {
    stream.windowHigh = stream.window << (by - 64);
    stream.window = 1;
  } else {
    stream.windowHigh = (stream.windowHigh << by) | (stream.window >> (64 - by));
    stream.window = (stream.window << by) | 1;
  }
}

function lostInSequence(stream: Stream): i64 {
  const expected = <i64>stream.cycles + <i64>stream.maxSeq - <i64>stream.baseSeq + 1;
  return expected - <i64>stream.received;
}
