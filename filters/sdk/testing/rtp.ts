// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** Fields of an RTP packet (RFC 3550 section 5.1); what is left out is 0. */
export interface RtpFields {
  readonly version?: number;
  readonly payloadType?: number;
  readonly marker?: boolean;
  readonly sequenceNumber?: number;
  readonly timestamp?: number;
  readonly ssrc?: number;
  readonly csrcs?: readonly number[];
  /** The payload, or its length in bytes. */
  readonly payload?: Uint8Array | number;
}

const HEADER_BYTES = 12;

/** Builds an RTP packet. Numbers wrap at the width of their field. */
export function rtp(fields: RtpFields = {}): Uint8Array {
  const csrcs = fields.csrcs ?? [];
  const payload = typeof fields.payload === "object" ? fields.payload : new Uint8Array(fields.payload ?? 0);
  const headerBytes = HEADER_BYTES + csrcs.length * 4;
  const packet = new Uint8Array(headerBytes + payload.length);
  const view = new DataView(packet.buffer);
  view.setUint8(0, ((fields.version ?? 2) << 6) | csrcs.length);
  view.setUint8(1, (fields.marker === true ? 0x80 : 0) | ((fields.payloadType ?? 0) & 0x7f));
  view.setUint16(2, fields.sequenceNumber ?? 0);
  view.setUint32(4, fields.timestamp ?? 0);
  view.setUint32(8, fields.ssrc ?? 0);
  csrcs.forEach((csrc, i) => {
    view.setUint32(HEADER_BYTES + i * 4, csrc);
  });
  packet.set(payload, headerBytes);
  return packet;
}
