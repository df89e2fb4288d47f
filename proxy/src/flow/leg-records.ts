// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { LOCAL_WORDS } from "../datapath/local-address.ts";
import { readSockaddr, SOCKADDR_BYTES, writeSockaddr } from "../datapath/sockaddr.ts";
import type { SocketAddress } from "../plan.ts";

/** One record, four cache lines. */
const RECORD_BYTES = 256;
export const RECORD_WORDS = RECORD_BYTES / 4;
const RECORD_NUMBERS = RECORD_BYTES / 8;
const PAGE_BYTES = 65_536;

/** Offsets of a record's 32-bit words. All are written by the worker alone. */
export const LegWord = {
  /** See `LegFlag`. */
  flags: 0,
  /** SSRC of the far end, where a latch went by it. */
  latchedSsrc: 1,
  /** `struct sockaddr` of the far end's RTP and its length; 0 while it is not known. */
  remote: 2,
  remoteLength: 9,
  remoteRtcp: 10,
  remoteRtcpLength: 17,
  /** The addresses that the main thread gave: `WorkerUdp.remoteEpoch` of those that are in force. */
  remoteEpoch: 18,
  /** Rewriting for a receiver; see `rewrite.ts`. The source and SSRC of the stretch, and how it is moved. */
  source: 19,
  ssrcIn: 20,
  seqOffset: 21,
  timestampOffset: 22,
  /** Of the datagram that is furthest: as it went out, and its sequence number as it came. */
  lastSeq: 23,
  lastTimestamp: 24,
  highestIn: 25,
  /** The sequence number that the stretch began with: what is older is not passed on. */
  firstIn: 26,
  strangeNext: 27,
  /** At the record's end: the local address that the far end sends to, in the form of `local-address.ts`. */
  local: RECORD_WORDS - LOCAL_WORDS,
} as const;

/** Offsets of a record's float64 numbers, behind its words. */
export const LegNumber = {
  /** Monotonic milliseconds: when the stream that is sent last went on, and when the far end was heard last. */
  lastSentMs: 14,
  lastHeardMs: 15,
  receivedDatagrams: 16,
  receivedBytes: 17,
  sentDatagrams: 18,
  sentBytes: 19,
  /** RTP alone, as a sender report counts (RFC 3550 section 6.4.1): packets, and bytes of payload. */
  sentPackets: 20,
  sentOctets: 21,
  /** The first of the drop counters, in the order of `dropReasons`. */
  dropped: 22,
} as const;

/** Why a leg dropped a datagram: the label of its counter. */
export const dropReasons = [
  /** Its sender is not the far end. */
  "stranger",
  /** The leg is not enabled, or is a source that is not the active one. */
  "inactive",
  /** It is not what the leg takes: not RTP, not RTCP, or RTP from a receiver. */
  "unexpected",
  /** It belongs before what the receiver has had, or to a stream that is not followed. */
  "late",
  /** The socket's buffer or the ring to the connection was full. */
  "back_pressure",
  /** The system refused to send it. */
  "send_error",
] as const;
export type DropReason = (typeof dropReasons)[number];

/** Offsets of the drop counters among a record's numbers. */
export const LegDrop = {
  stranger: LegNumber.dropped,
  inactive: LegNumber.dropped + 1,
  unexpected: LegNumber.dropped + 2,
  late: LegNumber.dropped + 3,
  backPressure: LegNumber.dropped + 4,
  sendError: LegNumber.dropped + 5,
} as const;

/** Bits of `LegWord.flags`. */
export const LegFlag = {
  /** Something came from the far end. */
  Heard: 1,
  /** The remote addresses were learnt by a latch. */
  Latched: 2,
  LatchedRtcp: 4,
  /** The path refuses segmentation offload. */
  NoSegmentation: 8,
  /** The stretch that is sent began: offsets are valid. Without it the next datagram begins one. */
  Synced: 16,
  /** Something was sent, so that the next stretch has to go on from there. */
  Sent: 32,
  /** `firstIn` still bounds the stretch. */
  Bounded: 64,
  /** `strangeNext` says what would confirm that the source began anew. */
  Strange: 128,
  /** `local` holds: the leg's socket has every address of this host. */
  HasLocal: 256,
} as const;

/** Shared memory for the legs of one worker's flows. It outlives the worker: a successor goes on where it was. */
export function createLegMemory(capacity: number): WebAssembly.Memory {
  const pages = Math.ceil((capacity * RECORD_BYTES) / PAGE_BYTES);
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

/**
 * What a worker knows of the legs of its flows: learnt addresses, where each receiver is in its stream, counters. The
 * main thread hands the records out and reads them whenever it likes.
 */
export class LegRecords {
  readonly capacity: number;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly numbers: Float64Array;

  constructor(memory: WebAssembly.Memory) {
    this.bytes = new Uint8Array(memory.buffer);
    this.words = new Int32Array(memory.buffer);
    this.numbers = new Float64Array(memory.buffer);
    this.capacity = memory.buffer.byteLength / RECORD_BYTES;
  }

  /** Makes a record as new. */
  clear(leg: number): void {
    this.words.fill(0, leg * RECORD_WORDS, (leg + 1) * RECORD_WORDS);
  }

  has(leg: number, flag: number): boolean {
    return (this.words[leg * RECORD_WORDS]! & flag) !== 0;
  }

  setFlag(leg: number, flag: number): void {
    this.words[leg * RECORD_WORDS]! |= flag;
  }

  clearFlag(leg: number, flag: number): void {
    this.words[leg * RECORD_WORDS]! &= ~flag;
  }

  number(leg: number, field: number): number {
    return this.numbers[leg * RECORD_NUMBERS + field]!;
  }

  setNumber(leg: number, field: number, value: number): void {
    this.numbers[leg * RECORD_NUMBERS + field] = value;
  }

  add(leg: number, field: number, value: number): void {
    this.numbers[leg * RECORD_NUMBERS + field]! += value;
  }

  /** Word offset of the local address from which the far end has to be answered, or -1 where the system chooses. */
  local(leg: number): number {
    return this.has(leg, LegFlag.HasLocal) ? leg * RECORD_WORDS + LegWord.local : -1;
  }

  /** Sets it to that at word `from` of `words`. */
  setLocal(leg: number, words: Uint32Array, from: number): void {
    const to = leg * RECORD_WORDS + LegWord.local;
    for (let i = 0; i < LOCAL_WORDS; i++) this.words[to + i] = words[from + i]!;
    this.setFlag(leg, LegFlag.HasLocal);
  }

  /** Byte offset of an address, `LegWord.remote` or `LegWord.remoteRtcp`. */
  addressOffset(leg: number, field: number): number {
    return (leg * RECORD_WORDS + field) * 4;
  }

  /** Length of an address in bytes; 0 while it is not known. */
  addressLength(leg: number, field: number): number {
    return this.words[leg * RECORD_WORDS + field + SOCKADDR_BYTES / 4]!;
  }

  address(leg: number, field: number): SocketAddress | undefined {
    if (this.addressLength(leg, field) === 0) return undefined;
    return readSockaddr(this.bytes, this.addressOffset(leg, field));
  }

  setAddress(leg: number, field: number, address: SocketAddress | undefined): void {
    const lengthWord = leg * RECORD_WORDS + field + SOCKADDR_BYTES / 4;
    this.words[lengthWord] =
      address === undefined ? 0 : writeSockaddr(this.bytes, this.addressOffset(leg, field), address);
  }
}
