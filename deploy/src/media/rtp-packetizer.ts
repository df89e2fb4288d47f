// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** The largest datagram sent: leaves room in an Ethernet frame for IPv6 and a tunnel's header. */
export const MAX_DATAGRAM_BYTES = 1400;

const HEADER_BYTES = 12;
const FU_HEADER_BYTES = 2;
const FU_A = 28;

/** What an RTP stream begins with; RFC 3550 section 5.1 wants the first two numbers to be random. */
export interface RtpStreamStart {
  readonly ssrc: number;
  readonly sequenceNumber: number;
  readonly payloadType: number;
}

/** Makes the RTP datagrams of one stream and numbers them. */
export class RtpPacketizer {
  readonly #ssrc: number;
  readonly #payloadType: number;
  #sequenceNumber: number;

  constructor(start: RtpStreamStart) {
    this.#ssrc = start.ssrc;
    this.#payloadType = start.payloadType;
    this.#sequenceNumber = start.sequenceNumber;
  }

  /** What the next datagram will have. */
  get nextSequenceNumber(): number {
    return this.#sequenceNumber;
  }

  /** Returns one datagram with the payload given; the timestamp wraps at 32 bits. */
  packet(timestamp: number, marker: boolean, ...payload: readonly Uint8Array[]): Buffer {
    const header = Buffer.alloc(HEADER_BYTES);
    header[0] = 0x80;
    header[1] = (marker ? 0x80 : 0) | this.#payloadType;
    header.writeUInt16BE(this.#sequenceNumber, 2);
    header.writeUInt32BE(timestamp >>> 0, 4);
    header.writeUInt32BE(this.#ssrc, 8);
    this.#sequenceNumber = (this.#sequenceNumber + 1) & 0xffff;
    return Buffer.concat([header, ...payload]);
  }

  /** Returns the datagrams of one H.264 frame, the last with the marker: single NAL units and FU-A (RFC 6184). */
  h264Frame(nalUnits: readonly Uint8Array[], timestamp: number): readonly Buffer[] {
    return nalUnits.flatMap((nal, index) => this.#h264NalUnit(nal, timestamp, index === nalUnits.length - 1));
  }

  #h264NalUnit(nal: Uint8Array, timestamp: number, isLast: boolean): readonly Buffer[] {
    if (nal.length <= MAX_DATAGRAM_BYTES - HEADER_BYTES) return [this.packet(timestamp, isLast, nal)];
    const header = nal[0]!;
    const body = nal.subarray(1);
    const chunk = MAX_DATAGRAM_BYTES - HEADER_BYTES - FU_HEADER_BYTES;
    const datagrams: Buffer[] = [];
    for (let at = 0; at < body.length; at += chunk) {
      const end = at + chunk >= body.length;
      // RFC 6184 section 5.8: the indicator keeps F and NRI; the header has start, end and the type.
      const fu = Uint8Array.of(
        (header & 0xe0) | FU_A,
        (at === 0 ? 0x80 : 0) | (end ? 0x40 : 0) | (header & 0x1f),
      );
      datagrams.push(this.packet(timestamp, isLast && end, fu, body.subarray(at, at + chunk)));
    }
    return datagrams;
  }
}
