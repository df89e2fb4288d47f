// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { read32, write32 } from "../rtp-header.ts";
import { type RtcpCursor, RtcpType } from "./rtcp-cursor.ts";

/** How a receiver's stream differs from the source's. */
export interface StreamMapping {
  ssrcIn: number;
  ssrcOut: number;
  /** What is added to RTP timestamps. */
  timestampOffset: number;
  /** What the receiver was sent: packets, and bytes of payload. */
  packets: number;
  octets: number;
  /** Whether the source's end is the end for the receiver; another source may take its place. */
  passesBye: boolean;
}

const SR_BYTES = 28;

/**
 * Writes to `to` what a receiver gets of a source's compound, as a translator does (RFC 3550 section 7.2): sender reports
 * with the receiver's SSRC, timestamp and counts, SDES and BYE with its SSRC, others as they are. Returns the length in
 * bytes; 0 where nothing is left. The compound was found well formed, and `out` is at least as long as it.
 */
export function translateSenderRtcp(
  cursor: RtcpCursor,
  bytes: Uint8Array,
  mapping: StreamMapping,
  out: Uint8Array,
): number {
  let to = 0;
  while (cursor.next()) {
    const { type, start, length, count } = cursor;
    if (type === RtcpType.BYE && !mapping.passesBye) continue;
    for (let i = 0; i < length; i++) out[to + i] = bytes[start + i]!;
    if (type === RtcpType.SR && length >= SR_BYTES) translateReport(out, to, mapping);
    else if (type === RtcpType.SDES) translateChunks(out, to, length, count, mapping);
    else if (type === RtcpType.BYE) translateList(out, to, length, count, mapping);
    to += length;
  }
  return to;
}

/** RFC 3550 section 6.4.1. */
function translateReport(out: Uint8Array, at: number, mapping: StreamMapping): void {
  if (read32(out, at + 4) !== mapping.ssrcIn) return;
  write32(out, at + 4, mapping.ssrcOut);
  write32(out, at + 16, read32(out, at + 16) + mapping.timestampOffset);
  write32(out, at + 20, mapping.packets);
  write32(out, at + 24, mapping.octets);
}

/** RFC 3550 section 6.5: chunks of an SSRC and items up to a zero, padded to 32 bits. */
function translateChunks(
  out: Uint8Array,
  at: number,
  length: number,
  count: number,
  mapping: StreamMapping,
): void {
  const end = at + length;
  let chunk = at + 4;
  for (let i = 0; i < count && chunk + 4 <= end; i++) {
    translateSsrc(out, chunk, mapping);
    let item = chunk + 4;
    while (item < end && out[item] !== 0) item += 2 + (out[item + 1] ?? 0);
    chunk = at + ((item - at + 4) & ~3);
  }
}

/** RFC 3550 section 6.6. */
function translateList(
  out: Uint8Array,
  at: number,
  length: number,
  count: number,
  mapping: StreamMapping,
): void {
  for (let i = 0; i < count && 8 + 4 * i <= length; i++) translateSsrc(out, at + 4 + 4 * i, mapping);
}

function translateSsrc(out: Uint8Array, at: number, { ssrcIn, ssrcOut }: StreamMapping): void {
  if (read32(out, at) === ssrcIn) write32(out, at, ssrcOut);
}
