// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** A UDP datagram of a capture. */
export interface CapturedDatagram {
  /** When it was captured, nanoseconds of the wall clock. */
  readonly timeNs: bigint;
  /** `ip:port`, IPv6 in brackets. */
  readonly source: string;
  readonly destination: string;
  readonly payload: Uint8Array;
  /** The packet from its IP header on, of which the payload is the end. */
  readonly packet: Uint8Array;
}

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const UDP = 17;
const UDP_HEADER_BYTES = 8;
const IPV6_HEADER_BYTES = 40;

/** Magic numbers as they read in little-endian order: whether the file is so, and what its fractions are. */
const MAGICS = new Map([
  [0xa1b2c3d4, { isLittle: true, fractionNs: 1_000n }],
  [0xd4c3b2a1, { isLittle: false, fractionNs: 1_000n }],
  [0xa1b23c4d, { isLittle: true, fractionNs: 1n }],
  [0x4d3cb2a1, { isLittle: false, fractionNs: 1n }],
]);

/** Bytes before the IP header, by link type (tcpdump.org/linktypes.html). VLAN tags are looked for in addition. */
const LINK_HEADERS: Readonly<Record<number, number>> = {
  0: 4,
  1: 14,
  12: 0,
  14: 0,
  101: 0,
  113: 16,
  276: 20,
};
const ETHERNET = 1;
const VLAN_BYTES = 4;
const VLAN = 0x8100;

/**
 * Reads the UDP datagrams of a capture in the format of libpcap; other packets, fragments and cut ones are passed over.
 * Throws where the file is no such capture.
 */
export function readPcap(file: Uint8Array): readonly CapturedDatagram[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const format = file.length < FILE_HEADER_BYTES ? undefined : MAGICS.get(view.getUint32(0, true));
  if (format === undefined)
    throw new Error("this is no pcap file; of pcapng, make one with: editcap -F pcap IN OUT");
  const u32 = (at: number): number => view.getUint32(at, format.isLittle);
  const linkType = u32(20) & 0xffff;
  const linkBytes = LINK_HEADERS[linkType];
  if (linkBytes === undefined)
    throw new Error(`the capture is of link type ${linkType}, which is not known here`);
  const datagrams: CapturedDatagram[] = [];
  for (let at = FILE_HEADER_BYTES; at + RECORD_HEADER_BYTES <= file.length; ) {
    const timeNs = BigInt(u32(at)) * 1_000_000_000n + BigInt(u32(at + 4)) * format.fractionNs;
    const from = at + RECORD_HEADER_BYTES;
    const end = from + u32(at + 8);
    if (end > file.length) break;
    const link = file.subarray(from, end);
    const isTagged = linkType === ETHERNET && link.length > linkBytes && u16(link, 12) === VLAN;
    const datagram = readPacket(link.subarray(linkBytes + (isTagged ? VLAN_BYTES : 0)), timeNs);
    if (datagram !== null) datagrams.push(datagram);
    at = end;
  }
  return datagrams;
}

/** A capture of the datagrams, each in its packet with other payload, as link type 101: raw IP. */
export function writePcap(datagrams: readonly CapturedDatagram[]): Uint8Array {
  const packets = datagrams.map(rebuildPacket);
  const size = packets.reduce((sum, packet) => sum + RECORD_HEADER_BYTES + packet.length, FILE_HEADER_BYTES);
  const file = new Uint8Array(size);
  const view = new DataView(file.buffer);
  // Nanoseconds, version 2.4, packets of any length, raw IP.
  [0xa1b23c4d, 0x0004_0002, 0, 0, 0x1_0000, 101].forEach((word, i) => {
    view.setUint32(4 * i, word, true);
  });
  let at = FILE_HEADER_BYTES;
  packets.forEach((packet, i) => {
    const { timeNs } = datagrams[i]!;
    const words = [
      Number(timeNs / 1_000_000_000n),
      Number(timeNs % 1_000_000_000n),
      packet.length,
      packet.length,
    ];
    words.forEach((word, k) => {
      view.setUint32(at + 4 * k, word, true);
    });
    file.set(packet, at + RECORD_HEADER_BYTES);
    at += RECORD_HEADER_BYTES + packet.length;
  });
  return file;
}

function readPacket(ip: Uint8Array, timeNs: bigint): CapturedDatagram | null {
  const version = (ip[0] ?? 0) >> 4;
  const headerBytes = version === 4 ? (ip[0]! & 15) * 4 : IPV6_HEADER_BYTES;
  if ((version !== 4 && version !== 6) || ip.length < headerBytes + UDP_HEADER_BYTES) return null;
  const isFragment = version === 4 && (u16(ip, 6) & 0x3fff) !== 0;
  if (isFragment || ip[version === 4 ? 9 : 6] !== UDP || (version === 4 && headerBytes < 20)) return null;
  const end = headerBytes + u16(ip, headerBytes + 4);
  if (end > ip.length || end < headerBytes + UDP_HEADER_BYTES) return null;
  const [from, size] = version === 4 ? [12, 4] : [8, 16];
  const address = (at: number, port: number): string =>
    `${formatAddress(ip.subarray(at, at + size))}:${u16(ip, headerBytes + port)}`;
  return {
    timeNs,
    source: address(from, 0),
    destination: address(from + size, 2),
    payload: ip.subarray(headerBytes + UDP_HEADER_BYTES, end),
    packet: ip.subarray(0, end),
  };
}

/** The packet with the lengths of its payload. Checksums are 0, which for UDP over IPv4 means that there is none. */
function rebuildPacket({ packet, payload }: CapturedDatagram): Uint8Array {
  const isV4 = packet[0]! >> 4 === 4;
  const headerBytes = isV4 ? (packet[0]! & 15) * 4 : IPV6_HEADER_BYTES;
  const rebuilt = new Uint8Array(headerBytes + UDP_HEADER_BYTES + payload.length);
  rebuilt.set(packet.subarray(0, headerBytes + UDP_HEADER_BYTES));
  rebuilt.set(payload, headerBytes + UDP_HEADER_BYTES);
  const view = new DataView(rebuilt.buffer);
  if (isV4) {
    view.setUint16(2, rebuilt.length);
    view.setUint16(10, 0);
    view.setUint16(10, headerChecksum(rebuilt.subarray(0, headerBytes)));
  } else {
    view.setUint16(4, rebuilt.length - headerBytes);
  }
  view.setUint16(headerBytes + 4, UDP_HEADER_BYTES + payload.length);
  view.setUint16(headerBytes + 6, 0);
  return rebuilt;
}

/** RFC 1071. */
function headerChecksum(header: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < header.length; i += 2) sum += u16(header, i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, i) => u16(bytes, 2 * i).toString(16));
  return `[${groups.join(":")}]`;
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}
