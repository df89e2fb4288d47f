// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { loadU16, loadU32 } from "./bytes";
import { Datagram } from "./datagram";

/** The fixed RTP header (RFC 3550 section 5.1). */
export const RTP_HEADER_BYTES: u32 = 12;

/** The common header of RTCP packets with the sender's SSRC (RFC 3550 section 6.4). */
export const RTCP_HEADER_BYTES: u32 = 8;

/** What a datagram on a media port is. */
export enum MediaKind {
  Other = 0,
  Rtp = 1,
  Rtcp = 2,
}

/**
 * Tells RTP, RTCP and the rest apart. RTCP packet types 192 to 223 are where RTP would have its marker bit and
 * payload types 64 to 95, which RTP then must not use (RFC 5761 section 4).
 */
export function mediaKind(datagram: Datagram): MediaKind {
  const available = <u32>datagram.avail;
  if (available < RTCP_HEADER_BYTES) return MediaKind.Other;
  const data = <usize>datagram.data;
  const first = <u32>load<u8>(data);
  if (first >> 6 != 2) return MediaKind.Other;
  const second = <u32>load<u8>(data, 1);
  if (second - 192 < 32) return MediaKind.Rtcp;
  const headerBytes = RTP_HEADER_BYTES + ((first & 15) << 2);
  if (available < RTP_HEADER_BYTES || <u32>datagram.len < headerBytes) return MediaKind.Other;
  return MediaKind.Rtp;
}

export function payloadType(data: usize): u32 {
  return <u32>load<u8>(data, 1) & 0x7f;
}

export function sequenceNumber(data: usize): u32 {
  return loadU16(data + 2);
}

export function timestamp(data: usize): u32 {
  return loadU32(data + 4);
}

export function ssrc(data: usize): u32 {
  return loadU32(data + 8);
}
