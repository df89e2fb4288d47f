// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** A moment in NTP's 64 bits: seconds since 1900 and a fraction of 1/2^32 s. */
export interface NtpTime {
  readonly seconds: number;
  readonly fraction: number;
}

/** One report block of RFC 3550 section 6.4.1. */
export interface ReportBlock {
  readonly ssrc: number;
  /** Lost since the report before, in 1/256. */
  readonly fractionLost: number;
  /** Lost since the beginning, 24 bits with a sign. */
  readonly cumulativeLost: number;
  readonly highestSequence: number;
  /** In units of the stream's clock. */
  readonly jitter: number;
  /** Middle 32 bits of the last sender report's NTP time, and the delay since then in 1/65536 s. */
  readonly lsr: number;
  readonly dlsr: number;
}

/** What a sender report says of its sender. */
export interface SenderInfo {
  readonly ntp: NtpTime;
  readonly rtpTimestamp: number;
  readonly packetCount: number;
  readonly octetCount: number;
}

/** The RTCP packets that are read; others are passed over. */
export type RtcpPacket =
  | {
      readonly type: "senderReport";
      readonly ssrc: number;
      readonly sender: SenderInfo;
      readonly blocks: readonly ReportBlock[];
    }
  | { readonly type: "receiverReport"; readonly ssrc: number; readonly blocks: readonly ReportBlock[] }
  | { readonly type: "bye"; readonly ssrcs: readonly number[] };

const SENDER_REPORT = 200;
const RECEIVER_REPORT = 201;
const SOURCE_DESCRIPTION = 202;
const BYE = 203;
const CNAME_ITEM = 1;
const BLOCK_BYTES = 24;
/** Seconds from 1900 to 1970. */
const NTP_EPOCH_SECONDS = 2_208_988_800;

/** Converts Unix time in milliseconds. */
export function ntpTime(unixMs: number): NtpTime {
  const seconds = Math.floor(unixMs / 1000);
  const fraction = Math.floor(((unixMs - seconds * 1000) / 1000) * 2 ** 32);
  return { seconds: (seconds + NTP_EPOCH_SECONDS) % 2 ** 32, fraction };
}

/** The middle 32 bits of an NTP time, as LSR has it. */
export function ntpMiddle(ntp: NtpTime): number {
  return (((ntp.seconds & 0xffff) << 16) | (ntp.fraction >>> 16)) >>> 0;
}

/** Builds a compound of sender report and SDES CNAME (RFC 3550 section 6.1). */
export function senderReport(ssrc: number, cname: string, sender: SenderInfo): Buffer {
  const body = Buffer.alloc(24);
  body.writeUInt32BE(ssrc, 0);
  body.writeUInt32BE(sender.ntp.seconds, 4);
  body.writeUInt32BE(sender.ntp.fraction, 8);
  body.writeUInt32BE(sender.rtpTimestamp >>> 0, 12);
  body.writeUInt32BE(sender.packetCount >>> 0, 16);
  body.writeUInt32BE(sender.octetCount >>> 0, 20);
  return Buffer.concat([packet(SENDER_REPORT, 0, body), sourceDescription(ssrc, cname)]);
}

/** Builds a compound of receiver report and SDES CNAME; up to 31 blocks. */
export function receiverReport(ssrc: number, cname: string, blocks: readonly ReportBlock[]): Buffer {
  const body = Buffer.alloc(4 + BLOCK_BYTES * blocks.length);
  body.writeUInt32BE(ssrc, 0);
  blocks.forEach((block, index) => {
    const at = 4 + BLOCK_BYTES * index;
    body.writeUInt32BE(block.ssrc, at);
    body.writeUInt8(block.fractionLost, at + 4);
    body.writeIntBE(Math.max(-(2 ** 23), Math.min(2 ** 23 - 1, block.cumulativeLost)), at + 5, 3);
    body.writeUInt32BE(block.highestSequence >>> 0, at + 8);
    body.writeUInt32BE(block.jitter >>> 0, at + 12);
    body.writeUInt32BE(block.lsr, at + 16);
    body.writeUInt32BE(block.dlsr, at + 20);
  });
  return Buffer.concat([packet(RECEIVER_REPORT, blocks.length, body), sourceDescription(ssrc, cname)]);
}

/** Builds a compound of an empty receiver report, SDES CNAME and BYE (RFC 3550 section 6.6). */
export function goodbye(ssrc: number, cname: string): Buffer {
  const body = Buffer.alloc(4);
  body.writeUInt32BE(ssrc, 0);
  return Buffer.concat([receiverReport(ssrc, cname, []), packet(BYE, 1, body)]);
}

/** Reads a compound RTCP datagram; an empty list where the bytes are none (checks of RFC 3550 A.2, softened). */
export function parseRtcp(datagram: Buffer): readonly RtcpPacket[] {
  const packets: RtcpPacket[] = [];
  for (let at = 0; at + 4 <= datagram.length; ) {
    const end = at + 4 + 4 * datagram.readUInt16BE(at + 2);
    if (datagram[at]! >> 6 !== 2 || end > datagram.length) return [];
    const parsed = parsePacket(datagram[at + 1]!, datagram[at]! & 0x1f, datagram.subarray(at + 4, end));
    if (parsed) packets.push(parsed);
    at = end;
  }
  return packets;
}

function parsePacket(type: number, count: number, body: Buffer): RtcpPacket | undefined {
  if (type === SENDER_REPORT && body.length >= 24 + BLOCK_BYTES * count) {
    const sender = {
      ntp: { seconds: body.readUInt32BE(4), fraction: body.readUInt32BE(8) },
      rtpTimestamp: body.readUInt32BE(12),
      packetCount: body.readUInt32BE(16),
      octetCount: body.readUInt32BE(20),
    };
    return { type: "senderReport", ssrc: body.readUInt32BE(0), sender, blocks: parseBlocks(body, 24, count) };
  }
  if (type === RECEIVER_REPORT && body.length >= 4 + BLOCK_BYTES * count) {
    return { type: "receiverReport", ssrc: body.readUInt32BE(0), blocks: parseBlocks(body, 4, count) };
  }
  if (type === BYE && body.length >= 4 * count) {
    return { type: "bye", ssrcs: Array.from({ length: count }, (_, index) => body.readUInt32BE(4 * index)) };
  }
  return undefined;
}

function parseBlocks(body: Buffer, start: number, count: number): readonly ReportBlock[] {
  return Array.from({ length: count }, (_, index) => {
    const at = start + BLOCK_BYTES * index;
    return {
      ssrc: body.readUInt32BE(at),
      fractionLost: body[at + 4]!,
      cumulativeLost: body.readIntBE(at + 5, 3),
      highestSequence: body.readUInt32BE(at + 8),
      jitter: body.readUInt32BE(at + 12),
      lsr: body.readUInt32BE(at + 16),
      dlsr: body.readUInt32BE(at + 20),
    };
  });
}

function packet(type: number, count: number, body: Buffer): Buffer {
  const header = Buffer.from([0x80 | count, type, 0, 0]);
  header.writeUInt16BE(body.length / 4, 2);
  return Buffer.concat([header, body]);
}

/** One chunk with a CNAME item, ended and padded with at least one zero (section 6.5). */
function sourceDescription(ssrc: number, cname: string): Buffer {
  const name = Buffer.from(cname, "utf8").subarray(0, 255);
  const body = Buffer.alloc(4 * Math.ceil((4 + 2 + name.length + 1) / 4));
  body.writeUInt32BE(ssrc, 0);
  body.writeUInt8(CNAME_ITEM, 4);
  body.writeUInt8(name.length, 5);
  name.copy(body, 6);
  return packet(SOURCE_DESCRIPTION, 1, body);
}
