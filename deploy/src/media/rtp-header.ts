// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** The fixed header of an RTP packet (RFC 3550 section 5.1) and the payload without padding. */
export interface RtpPacket {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Buffer;
}

/** Reads an RTP packet; undefined where the bytes are none. RTCP is no RTP packet (RFC 5761 section 4). */
export function parseRtp(datagram: Buffer): RtpPacket | undefined {
  if (datagram.length < 12 || datagram[0]! >> 6 !== 2) return undefined;
  const packetType = datagram[1]!;
  if (packetType >= 192 && packetType <= 223) return undefined;
  const hasPadding = (datagram[0]! & 0x20) !== 0;
  const hasExtension = (datagram[0]! & 0x10) !== 0;
  let start = 12 + 4 * (datagram[0]! & 0x0f);
  if (hasExtension) {
    if (start + 4 > datagram.length) return undefined;
    start += 4 + 4 * datagram.readUInt16BE(start + 2);
  }
  const end = datagram.length - (hasPadding ? datagram[datagram.length - 1]! : 0);
  if (start > end) return undefined;
  return {
    payloadType: packetType & 0x7f,
    marker: packetType >= 0x80,
    sequenceNumber: datagram.readUInt16BE(2),
    timestamp: datagram.readUInt32BE(4),
    ssrc: datagram.readUInt32BE(8),
    payload: datagram.subarray(start, end),
  };
}
