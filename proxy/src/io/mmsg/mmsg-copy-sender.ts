// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Ring } from "../../datapath/ring.ts";
import { LegFlag, type LegRecords } from "../../flow/leg-records.ts";
import type { RtpBatch } from "../../flow/rtp-batch.ts";
import { RTP_HEADER_BYTES } from "../../flow/rtp-header.ts";
import { type CopySender, MOST_COPIED } from "../copy-sender.ts";
import { CopyQueue, MOST_SEGMENTED_BYTES, MOST_SEGMENTS, NOT_MEDIA } from "./copy-queue.ts";
import { addressOf } from "./libc.ts";
import { NativeMemory } from "./native-memory.ts";

/** Room for packets of RTCP until they are sent. */
const PACKET_BYTES = 65_536;

/**
 * Copies by `sendmmsg`. The datagrams of a batch stand in the ring once: all receivers that get them as they are share
 * one list of pieces, and where headers differ each datagram is a piece of header and the shared piece behind it.
 * Equal datagrams in a row leave as one message to each receiver, which the kernel cuts up again (UDP_SEGMENT).
 */
export class MmsgCopySender implements CopySender {
  readonly headers: Uint8Array;
  readonly #queue: CopyQueue;
  readonly #records: LegRecords;
  readonly #ringBase: number;
  readonly #headersBase: number;
  readonly #packets: Uint8Array;
  readonly #packetsBase: number;
  #ownBase = 0;
  #headersUsed = 0;
  #packetsUsed = 0;
  #batch: RtpBatch | undefined;
  /** Runs of the batch that leave as one message each: their first piece, and what `CopyQueue.add` wants to know. */
  #runs = -1;
  readonly #runPiece = new Uint32Array(MOST_COPIED);
  readonly #runPieces = new Uint32Array(MOST_COPIED);
  readonly #runDatagrams = new Uint32Array(MOST_COPIED);
  readonly #runBytes = new Uint32Array(MOST_COPIED);
  readonly #runSegment = new Uint32Array(MOST_COPIED);

  /** `socketOf` is the file descriptor of a media socket, -1 where it is gone. */
  constructor(ring: Ring, records: LegRecords, socketOf: (socket: number) => number) {
    this.#records = records;
    this.#queue = new CopyQueue(records, socketOf);
    this.#ringBase = addressOf(ring.bytes);
    const headerBytes = MOST_COPIED * 4 * RTP_HEADER_BYTES;
    const memory = new NativeMemory(headerBytes + PACKET_BYTES);
    this.headers = memory.bytes.subarray(0, headerBytes);
    this.#headersBase = memory.address;
    this.#packets = memory.bytes.subarray(headerBytes, headerBytes + PACKET_BYTES);
    this.#packetsBase = this.#headersBase + headerBytes;
  }

  begin(batch: RtpBatch): void {
    // Messages that wait point to the pieces of the batch before.
    this.flush();
    this.#batch = batch;
    this.#runs = -1;
  }

  addPlain(leg: number, socket: number): void {
    const batch = this.#batch;
    if (batch === undefined) return;
    if (this.#records.has(leg, LegFlag.NoSegmentation)) {
      for (let i = 0; i < batch.count; i++) this.#addOne(leg, socket, batch.offset[i]!, batch.length[i]!);
      return;
    }
    if (this.#runs < 0) this.#findRuns(batch);
    for (let run = 0; run < this.#runs; run++) {
      if (!this.#queue.accepts(socket, 0)) this.flush();
      this.#queue.add(
        leg,
        socket,
        this.#runPiece[run]!,
        this.#runPieces[run]!,
        this.#runDatagrams[run]!,
        this.#runBytes[run]!,
        this.#runSegment[run]!,
      );
    }
  }

  reserveHeaders(count: number): number {
    const bytes = count * RTP_HEADER_BYTES;
    if (this.#headersUsed + bytes > this.headers.length) this.flush();
    const at = this.#headersUsed;
    this.#headersUsed += bytes;
    return at;
  }

  addRewritten(leg: number, socket: number, kept: Uint32Array, count: number, headers: number): void {
    const batch = this.#batch;
    if (batch === undefined) return;
    const most = this.#records.has(leg, LegFlag.NoSegmentation) ? 1 : MOST_SEGMENTS;
    for (let i = 0, end = 0; i < count; i = end) {
      const segment = batch.length[kept[i]!]!;
      let bytes = segment;
      for (end = i + 1; end < count && end - i < most; end++) {
        const length = batch.length[kept[end]!]!;
        // Only the last segment may be shorter.
        if (length > segment || bytes + length > MOST_SEGMENTED_BYTES) break;
        bytes += length;
        if (length < segment) {
          end++;
          break;
        }
      }
      this.#addRun(leg, socket, batch, kept, i, end, headers, bytes);
    }
  }

  addPacket(
    leg: number,
    address: number,
    socket: number,
    bytes: Uint8Array,
    start: number,
    length: number,
  ): void {
    if (!this.#queue.accepts(socket, 1) || this.#packetsUsed + length > PACKET_BYTES) this.flush();
    this.#packets.set(bytes.subarray(start, start + length), this.#packetsUsed);
    const piece = this.#queue.piece(this.#packetsBase + this.#packetsUsed, length);
    this.#packetsUsed += length;
    this.#queue.add(leg, socket, piece, 1, 1, length, NOT_MEDIA, address);
  }

  attach(memory: Uint8Array): void {
    this.#ownBase = addressOf(memory);
  }

  addOwn(leg: number, socket: number, offsets: Uint32Array, lengths: Uint32Array, count: number): void {
    const queue = this.#queue;
    const most = this.#records.has(leg, LegFlag.NoSegmentation) ? 1 : MOST_SEGMENTS;
    for (let i = 0, end = 0; i < count; i = end) {
      const segment = lengths[i]!;
      let bytes = segment;
      for (end = i + 1; end < count && end - i < most; end++) {
        const length = lengths[end]!;
        // Only the last segment may be shorter.
        if (length > segment || length === 0 || bytes + length > MOST_SEGMENTED_BYTES) break;
        bytes += length;
        if (length < segment) {
          end++;
          break;
        }
      }
      if (!queue.accepts(socket, end - i)) queue.flush();
      let first = -1;
      for (let k = i; k < end; k++) {
        const piece = queue.piece(this.#ownBase + offsets[k]!, lengths[k]!);
        if (first < 0) first = piece;
      }
      queue.add(leg, socket, first, end - i, end - i, bytes, segment);
    }
  }

  flush(): void {
    this.#queue.flush();
    this.#headersUsed = 0;
    this.#packetsUsed = 0;
  }

  #addOne(leg: number, socket: number, offset: number, length: number): void {
    if (!this.#queue.accepts(socket, 1)) this.#queue.flush();
    const piece = this.#queue.piece(this.#ringBase + offset, length);
    this.#queue.add(leg, socket, piece, 1, 1, length, length);
  }

  #addRun(
    leg: number,
    socket: number,
    batch: RtpBatch,
    kept: Uint32Array,
    from: number,
    end: number,
    headers: number,
    bytes: number,
  ): void {
    const queue = this.#queue;
    // The headers that are pointed to stay where they are: only what waits in the queue is sent.
    if (!queue.accepts(socket, 2 * (end - from))) queue.flush();
    let first = 0;
    for (let i = from; i < end; i++) {
      const at = kept[i]!;
      const piece = queue.piece(this.#headersBase + headers + i * RTP_HEADER_BYTES, RTP_HEADER_BYTES);
      if (i === from) first = piece;
      const payload = this.#ringBase + batch.offset[at]! + RTP_HEADER_BYTES;
      queue.piece(payload, batch.length[at]! - RTP_HEADER_BYTES);
    }
    queue.add(leg, socket, first, 2 * (end - from), end - from, bytes, batch.length[kept[from]!]!);
  }

  /** Finds the runs, and lays out their pieces where all receivers can share them. */
  #findRuns(batch: RtpBatch): void {
    let pieces = 0;
    this.#runs = 0;
    for (let i = 0, end = 0; i < batch.count; i = end) {
      const segment = batch.length[i]!;
      let bytes = 0;
      const first = pieces;
      let behind = -1;
      for (end = i; end < batch.count && end - i < MOST_SEGMENTS; end++) {
        const length = batch.length[end]!;
        if (end > i && (length > segment || length === 0 || bytes + length > MOST_SEGMENTED_BYTES)) break;
        const offset = batch.offset[end]!;
        if (offset === behind) this.#queue.extendShared(pieces - 1, length);
        else this.#queue.setShared(pieces++, this.#ringBase + offset, length);
        behind = offset + length;
        bytes += length;
        if (length < segment || length === 0) {
          end++;
          break;
        }
      }
      const run = this.#runs++;
      this.#runPiece[run] = first;
      this.#runPieces[run] = pieces - first;
      this.#runDatagrams[run] = end - i;
      this.#runBytes[run] = bytes;
      this.#runSegment[run] = segment;
    }
  }
}
