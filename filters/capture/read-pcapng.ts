// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE = 1;
const ENHANCED_PACKET = 6;
const UDP = 17;

/** A packet of a capture, between `ip:port`s, IPv6 in brackets and without `::`. */
export interface CapturedPacket {
  readonly from: string;
  readonly to: string;
  readonly ns: bigint;
  readonly payload: Uint8Array;
  /** Length on the wire, headers included. */
  readonly originalBytes: number;
}

/** What a file holds. */
export interface Capture {
  readonly linkType: number;
  readonly packets: readonly CapturedPacket[];
}

/**
 * Reads a capture with one interface, in nanoseconds, of raw IP with UDP: for tests of what the filter writes. Throws
 * where a block's two lengths differ, a checksum is wrong, or something else is not as pcapng has it.
 */
export function readPcapng(file: Uint8Array): Capture {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const u32 = (at: number): number => view.getUint32(at, true);
  expectEqual(u32(0), SECTION_HEADER, "the first block");
  expectEqual(u32(8), 0x1a2b3c4d, "the byte order");
  let linkType = -1;
  const packets: CapturedPacket[] = [];
  for (let at = 0; at < file.length; ) {
    const type = u32(at);
    const size = u32(at + 4);
    expectEqual(size % 4, 0, "the remainder of a block's length");
    expectEqual(u32(at + size - 4), size, "the length behind a block");
    if (type === INTERFACE) {
      linkType = view.getUint16(at + 8, true);
      expectEqual(view.getUint16(at + 16, true), 9, "the option of the resolution");
      expectEqual(view.getUint8(at + 20), 9, "the resolution");
    } else if (type === ENHANCED_PACKET) {
      const ns = (BigInt(u32(at + 12)) << 32n) | BigInt(u32(at + 16));
      const packet = new DataView(file.buffer, file.byteOffset + at + 28, u32(at + 20));
      packets.push({ ...readPacket(packet), ns, originalBytes: u32(at + 24) });
    }
    at += size;
  }
  return { linkType, packets };
}

function readPacket(packet: DataView): Pick<CapturedPacket, "from" | "to" | "payload"> {
  const isV4 = packet.getUint8(0) >> 4 === 4;
  const udp = isV4 ? 20 : 40;
  expectEqual(packet.getUint8(isV4 ? 9 : 6), UDP, "the protocol");
  if (isV4) expectEqual(sumOf(packet, 20), 0xffff, "the sum of the header");
  const address = (first: number, port: number): string => {
    const text = isV4 ? dotted(packet, first) : `[${groups(packet, first)}]`;
    return `${text}:${packet.getUint16(port)}`;
  };
  return {
    from: address(isV4 ? 12 : 8, udp),
    to: address(isV4 ? 16 : 24, udp + 2),
    payload: new Uint8Array(
      packet.buffer.slice(packet.byteOffset + udp + 8, packet.byteOffset + packet.byteLength),
    ),
  };
}

function dotted(packet: DataView, at: number): string {
  return [0, 1, 2, 3].map((i) => packet.getUint8(at + i)).join(".");
}

function groups(packet: DataView, at: number): string {
  return [0, 2, 4, 6, 8, 10, 12, 14].map((i) => packet.getUint16(at + i).toString(16)).join(":");
}

/** The ones' complement sum of a header, 0xffff where its checksum is right (RFC 1071). */
function sumOf(packet: DataView, length: number): number {
  let sum = 0;
  for (let at = 0; at < length; at += 2) sum += packet.getUint16(at);
  return (sum & 0xffff) + (sum >> 16);
}

function expectEqual(found: number, expected: number, what: string): void {
  if (found !== expected) throw new Error(`${what} is ${found} and should be ${expected}`);
}
