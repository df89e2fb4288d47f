// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { RTP_HEADER_BYTES, read16, read32 } from "./rtp-header.ts";

/** The RTP headers of the datagrams that a flow sends on now, read once for all of its receivers. */
export class RtpBatch {
  count = 0;
  /** Whether all of them are RTP of one SSRC, with sequence numbers that follow each other: nearly always. */
  isRun = true;
  /** By position: offset and length of the datagram, and the fields of its header. */
  readonly offset: Uint32Array;
  readonly length: Uint32Array;
  readonly seq: Uint32Array;
  readonly timestamp: Uint32Array;
  readonly ssrc: Uint32Array;

  constructor(capacity: number) {
    this.offset = new Uint32Array(capacity);
    this.length = new Uint32Array(capacity);
    this.seq = new Uint32Array(capacity);
    this.timestamp = new Uint32Array(capacity);
    this.ssrc = new Uint32Array(capacity);
  }

  clear(): void {
    this.count = 0;
    this.isRun = true;
  }

  /** Adds a datagram. One without an RTP header has zeros for its fields. */
  add(bytes: Uint8Array, offset: number, length: number): void {
    const i = this.count++;
    const isWhole = length >= RTP_HEADER_BYTES;
    this.offset[i] = offset;
    this.length[i] = length;
    this.seq[i] = isWhole ? read16(bytes, offset + 2) : 0;
    this.timestamp[i] = isWhole ? read32(bytes, offset + 4) : 0;
    this.ssrc[i] = isWhole ? read32(bytes, offset + 8) : 0;
    const isNext =
      i === 0 || (this.ssrc[i] === this.ssrc[i - 1] && this.seq[i] === ((this.seq[i - 1]! + 1) & 0xffff));
    if (!isWhole || bytes[offset]! >> 6 !== 2 || !isNext) this.isRun = false;
  }
}
