// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** The fixed part of an RTP header (RFC 3550 section 5.1). */
export const RTP_HEADER_BYTES = 12;

/** Whether bytes that came as media on a port that carries RTP are RTP: version 2 and a whole header. */
export function isRtp(bytes: Uint8Array, offset: number, length: number): boolean {
  return length >= RTP_HEADER_BYTES && bytes[offset]! >> 6 === 2;
}

/** Whether bytes on a port that carries both are RTCP: its packet types lie where RTP has payload types 64 to 95 (RFC 5761 section 4). */
export function isRtcp(bytes: Uint8Array, offset: number, length: number): boolean {
  return length >= 8 && bytes[offset]! >> 6 === 2 && bytes[offset + 1]! >= 192 && bytes[offset + 1]! <= 223;
}

/** The 16 bits at `offset`, most significant byte first. */
export function read16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 8) | bytes[offset + 1]!;
}

/** The 32 bits at `offset`, most significant byte first; not negative. */
export function read32(bytes: Uint8Array, offset: number): number {
  return (read16(bytes, offset) * 0x1_0000 + read16(bytes, offset + 2)) >>> 0;
}

/** Writes what `read16` reads. */
export function write16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 8;
  bytes[offset + 1] = value;
}

/** Writes what `read32` reads. */
export function write32(bytes: Uint8Array, offset: number, value: number): void {
  write16(bytes, offset, value >>> 16);
  write16(bytes, offset + 2, value);
}

/** `a - b` of two sequence numbers, as a signed number of 16 bits: above 0 where `a` is later. */
export function sequenceDistance(a: number, b: number): number {
  return ((a - b) << 16) >> 16;
}
