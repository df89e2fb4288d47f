// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// The blocks of pcapng (draft-ietf-opsawg-pcapng) that a capture has, little-endian.

const SECTION_HEADER: u32 = 0x0a0d0d0a;
const INTERFACE: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER: u32 = 0x1a2b3c4d;

/** LINKTYPE_RAW: a packet begins with its IP header. */
const RAW_IP: u16 = 101;

/** Option if_tsresol, and its value: 10 to the power of -9 seconds. */
const TIMESTAMP_RESOLUTION: u16 = 9;
const NANOSECONDS: u8 = 9;

const SECTION_BYTES: u32 = 28;
const INTERFACE_BYTES: u32 = 32;

/** Length of what each file begins with. */
export const HEADER_BYTES: usize = SECTION_BYTES + INTERFACE_BYTES;

/** Bytes of a packet's block before the packet, and behind it. */
export const PACKET_HEAD: usize = 28;
export const PACKET_TAIL: usize = 4;

/** Writes the section and the interface, whose packets have at most `snap` bytes. */
export function writeFileHeader(at: usize, snap: u32): void {
  memory.fill(at, 0, HEADER_BYTES);
  store<u32>(at, SECTION_HEADER);
  store<u32>(at + 4, SECTION_BYTES);
  store<u32>(at + 8, BYTE_ORDER);
  store<u16>(at + 12, 1);
  // Length of the section: not said.
  store<i64>(at + 16, -1);
  store<u32>(at + 24, SECTION_BYTES);
  const face = at + SECTION_BYTES;
  store<u32>(face, INTERFACE);
  store<u32>(face + 4, INTERFACE_BYTES);
  store<u16>(face + 8, RAW_IP);
  store<u32>(face + 12, snap);
  store<u16>(face + 16, TIMESTAMP_RESOLUTION);
  store<u16>(face + 18, 1);
  store<u8>(face + 20, NANOSECONDS);
  // The end of options is four zeros.
  store<u32>(face + 28, INTERFACE_BYTES);
}

/** The length of the block of a packet of which `captured` bytes are kept. */
export function packetBytes(captured: u32): usize {
  return PACKET_HEAD + ((<usize>captured + 3) & ~3) + PACKET_TAIL;
}

/** Writes the block around a packet that stands at `at + PACKET_HEAD`, of `original` bytes on the wire. */
export function writePacketBlock(at: usize, ns: u64, captured: u32, original: u32): void {
  const size = packetBytes(captured);
  store<u32>(at, ENHANCED_PACKET);
  store<u32>(at + 4, <u32>size);
  store<u32>(at + 8, 0);
  store<u32>(at + 12, <u32>(ns >> 32));
  store<u32>(at + 16, <u32>ns);
  store<u32>(at + 20, captured);
  store<u32>(at + 24, original);
  const end = at + PACKET_HEAD + captured;
  for (let pad = end; pad < at + size - PACKET_TAIL; pad++) store<u8>(pad, 0);
  store<u32>(at + size - PACKET_TAIL, <u32>size);
}
