// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { RewritePlan } from "./flow-plan.ts";
import { LegDrop, LegFlag, LegNumber, type LegRecords, LegWord, RECORD_WORDS } from "./leg-records.ts";
import type { RtpBatch } from "./rtp-batch.ts";
import { RTP_HEADER_BYTES, sequenceDistance, write16, write32 } from "./rtp-header.ts";

/** RFC 3550 A.1: further ahead than this, or further back, a source has begun anew once the next one confirms it. */
const MAX_DROPOUT = 3_000;
const MAX_MISORDER = 100;
/** Another SSRC of the same source is followed when the one before was silent for so long: until then it is a stream beside it. */
const STREAM_SILENCE_MS = 200;
/** Sequence numbers after which what came before a stretch cannot be told from what comes after it. */
const BOUND_REACH = 0x4000;

/** Who rewrites for whom. */
export interface RewriteTask {
  readonly plan: RewritePlan;
  /** Payload types of the receiver by those of the source; undefined where they stay. */
  readonly payloadTypes: Uint8Array | undefined;
  /** The receiver's record. */
  readonly leg: number;
  /** Ticks per second; 0 where it is not known. */
  readonly clockRate: number;
}

/** The receiver's payload types, indexed by the source's. */
export function payloadTypeTable({ payloadTypes }: RewritePlan): Uint8Array | undefined {
  if (payloadTypes.length === 0) return undefined;
  const table = Uint8Array.from({ length: 128 }, (_, type) => type);
  for (const [from, to] of payloadTypes) table[from] = to;
  return table;
}

/** The datagrams that are sent on now, to one receiver after the other. Used again for the next ones. */
export interface Rewriting {
  readonly records: LegRecords;
  readonly batch: RtpBatch;
  /** The bytes that the batch stands in. */
  readonly from: Uint8Array;
  /** Which source is sent on: `origin` of the flow. */
  source: number;
  nowMs: number;
  /** Positions in the batch of those that the last receiver gets. */
  readonly kept: Uint32Array;
}

/**
 * Writes the headers that one receiver gets for the datagrams of a batch: 12 bytes each, one behind the other from
 * `to` in `headers`, and their positions in the batch into `kept`. Returns how many the receiver gets; the rest is
 * counted as late.
 *
 * With `continuous`, a stretch of one source and SSRC is moved by a constant, chosen so that its first datagram follows
 * the last one before: the next sequence number, and a timestamp later by the time that passed.
 */
export function rewriteBatch(
  task: RewriteTask,
  rewriting: Rewriting,
  headers: Uint8Array,
  to: number,
): number {
  const { plan, leg } = task;
  const { records, batch, from, kept } = rewriting;
  const word = leg * RECORD_WORDS;
  const { words } = records;
  const isRun = plan.isContinuous && batch.isRun && followRun(task, rewriting);
  let count = 0;
  let at = to;
  for (let i = 0; i < batch.count; i++) {
    let seq = batch.seq[i]!;
    let timestamp = batch.timestamp[i]!;
    if (isRun) {
      seq += words[word + LegWord.seqOffset]!;
      timestamp += words[word + LegWord.timestampOffset]!;
    } else if (batch.length[i]! < RTP_HEADER_BYTES || from[batch.offset[i]!]! >> 6 !== 2) {
      continue;
    } else if (plan.isContinuous) {
      if (!follow(task, rewriting, i)) continue;
      seq = (seq + words[word + LegWord.seqOffset]!) & 0xffff;
      timestamp += words[word + LegWord.timestampOffset]!;
      remember(task, rewriting, seq, timestamp);
    }
    writeRest(task, rewriting, i, headers, at);
    write16(headers, at + 2, seq);
    write32(headers, at + 4, timestamp);
    kept[count++] = i;
    at += RTP_HEADER_BYTES;
  }
  if (count < batch.count) records.add(leg, LegDrop.late, batch.count - count);
  return count;
}

/** The header but for sequence number and timestamp. */
function writeRest(
  { plan, payloadTypes }: RewriteTask,
  { batch, from }: Rewriting,
  index: number,
  headers: Uint8Array,
  at: number,
): void {
  const offset = batch.offset[index]!;
  const second = from[offset + 1]!;
  headers[at] = from[offset]!;
  headers[at + 1] = payloadTypes === undefined ? second : (second & 0x80) | payloadTypes[second & 0x7f]!;
  write32(headers, at + 8, plan.ssrc ?? batch.ssrc[index]!);
}

/**
 * Whether a run just goes on from where the receiver is: then that is noted once for all of it. It answers and notes
 * what `follow` and `remember` would, one datagram after the other.
 */
function followRun(task: RewriteTask, rewriting: Rewriting): boolean {
  const { records, batch, source } = rewriting;
  const { leg } = task;
  const { words } = records;
  const word = leg * RECORD_WORDS;
  const last = batch.count - 1;
  const isHere =
    last >= 0 &&
    records.has(leg, LegFlag.Synced) &&
    words[word + LegWord.source] === source &&
    words[word + LegWord.ssrcIn] === (batch.ssrc[0]! | 0);
  if (!isHere) return false;
  const ahead = sequenceDistance(batch.seq[0]!, words[word + LegWord.highestIn]!);
  if (ahead <= 0 || ahead >= MAX_DROPOUT) return false;
  if (records.has(leg, LegFlag.Bounded)) {
    const firstIn = words[word + LegWord.firstIn]!;
    if (sequenceDistance(batch.seq[0]!, firstIn) < 0 || sequenceDistance(batch.seq[last]!, firstIn) < 0)
      return false;
    if (sequenceDistance(batch.seq[last]!, firstIn) > BOUND_REACH) records.clearFlag(leg, LegFlag.Bounded);
  }
  words[word + LegWord.highestIn] = batch.seq[last]!;
  const seq = (batch.seq[last]! + words[word + LegWord.seqOffset]!) & 0xffff;
  remember(task, rewriting, seq, batch.timestamp[last]! + words[word + LegWord.timestampOffset]!);
  return true;
}

/** Whether the receiver gets this datagram; begins a new stretch where it is the first of one. */
function follow(task: RewriteTask, rewriting: Rewriting, index: number): boolean {
  const { leg } = task;
  const { records, batch, source, nowMs } = rewriting;
  const word = leg * RECORD_WORDS;
  const { words } = records;
  const seq = batch.seq[index]!;
  if (!records.has(leg, LegFlag.Synced) || words[word + LegWord.source] !== source)
    return begin(task, rewriting, index);
  if (words[word + LegWord.ssrcIn] !== (batch.ssrc[index]! | 0)) {
    if (nowMs - records.number(leg, LegNumber.lastSentMs) < STREAM_SILENCE_MS) return false;
    return begin(task, rewriting, index);
  }
  const ahead = sequenceDistance(seq, words[word + LegWord.highestIn]!);
  if (ahead >= MAX_DROPOUT || ahead < -MAX_MISORDER) return confirm(task, rewriting, index);
  if (records.has(leg, LegFlag.Bounded)) {
    const since = sequenceDistance(seq, words[word + LegWord.firstIn]!);
    if (since < 0) return false;
    if (since > BOUND_REACH) records.clearFlag(leg, LegFlag.Bounded);
  }
  if (ahead > 0) words[word + LegWord.highestIn] = seq;
  return true;
}

/** A datagram far off: the second in a row says that the source began anew. */
function confirm(task: RewriteTask, rewriting: Rewriting, index: number): boolean {
  const { records, batch } = rewriting;
  const { leg } = task;
  const word = leg * RECORD_WORDS;
  const seq = batch.seq[index]!;
  if (records.has(leg, LegFlag.Strange) && records.words[word + LegWord.strangeNext] === seq)
    return begin(task, rewriting, index);
  records.setFlag(leg, LegFlag.Strange);
  records.words[word + LegWord.strangeNext] = (seq + 1) & 0xffff;
  return false;
}

/** Begins a stretch with this datagram, which the receiver gets. */
function begin({ leg, clockRate }: RewriteTask, rewriting: Rewriting, index: number): true {
  const { records, batch, source, nowMs } = rewriting;
  const { words } = records;
  const word = leg * RECORD_WORDS;
  const seq = batch.seq[index]!;
  if (records.has(leg, LegFlag.Sent)) {
    const passedMs = nowMs - records.number(leg, LegNumber.lastSentMs);
    const ticks = Math.max(1, Math.round((passedMs * clockRate) / 1000));
    words[word + LegWord.seqOffset] = (words[word + LegWord.lastSeq]! + 1 - seq) & 0xffff;
    words[word + LegWord.timestampOffset] =
      words[word + LegWord.lastTimestamp]! + ticks - batch.timestamp[index]!;
  }
  words[word + LegWord.source] = source;
  words[word + LegWord.ssrcIn] = batch.ssrc[index]!;
  words[word + LegWord.highestIn] = seq;
  words[word + LegWord.firstIn] = seq;
  records.setFlag(leg, LegFlag.Synced | LegFlag.Bounded);
  records.clearFlag(leg, LegFlag.Strange);
  return true;
}

/** Notes how far the receiver is. */
function remember({ leg }: RewriteTask, { records, nowMs }: Rewriting, seq: number, timestamp: number): void {
  const { words } = records;
  const word = leg * RECORD_WORDS;
  if (records.has(leg, LegFlag.Sent) && sequenceDistance(seq, words[word + LegWord.lastSeq]!) <= 0) return;
  words[word + LegWord.lastSeq] = seq;
  words[word + LegWord.lastTimestamp] = timestamp;
  records.setNumber(leg, LegNumber.lastSentMs, nowMs);
  records.setFlag(leg, LegFlag.Sent);
}
