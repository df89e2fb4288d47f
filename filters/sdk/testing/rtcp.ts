// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** A report block (RFC 3550 section 6.4.1); what is left out is 0. */
export interface ReportBlock {
  /** The stream that the block is about. */
  readonly ssrc: number;
  /** Eight-bit fixed-point fraction. */
  readonly fractionLost?: number;
  readonly cumulativeLost?: number;
  readonly highestSequence?: number;
  /** Timestamp units. */
  readonly jitter?: number;
  readonly lsr?: number;
  /** Units of 1/65536 s. */
  readonly dlsr?: number;
}

/** A receiver report (RFC 3550 section 6.4.2). */
export interface ReceiverReport {
  readonly senderSsrc: number;
  readonly blocks?: readonly ReportBlock[];
}

/** A sender report (RFC 3550 section 6.4.1). */
export interface SenderReport extends ReceiverReport {
  /** NTP time, 32.32. */
  readonly ntp: bigint;
  readonly timestamp?: number;
  readonly packetCount?: number;
  readonly octetCount?: number;
}

const SENDER_REPORT = 200;
const RECEIVER_REPORT = 201;
const HEADER_BYTES = 8;
const SENDER_INFO_BYTES = 20;
const BLOCK_BYTES = 24;

/** Builds an RTCP sender report. Concatenate packets for a compound. */
export function senderReport(report: SenderReport): Uint8Array {
  const packet = reportPacket(SENDER_REPORT, report, SENDER_INFO_BYTES);
  const view = new DataView(packet.buffer);
  view.setBigUint64(8, report.ntp);
  view.setUint32(16, report.timestamp ?? 0);
  view.setUint32(20, report.packetCount ?? 0);
  view.setUint32(24, report.octetCount ?? 0);
  return packet;
}

/** Builds an RTCP receiver report. */
export function receiverReport(report: ReceiverReport): Uint8Array {
  return reportPacket(RECEIVER_REPORT, report, 0);
}

function reportPacket(type: number, report: ReceiverReport, infoBytes: number): Uint8Array {
  const blocks = report.blocks ?? [];
  const packet = new Uint8Array(HEADER_BYTES + infoBytes + blocks.length * BLOCK_BYTES);
  const view = new DataView(packet.buffer);
  view.setUint8(0, 0x80 | blocks.length);
  view.setUint8(1, type);
  view.setUint16(2, packet.length / 4 - 1);
  view.setUint32(4, report.senderSsrc);
  blocks.forEach((block, i) => {
    writeBlock(view, HEADER_BYTES + infoBytes + i * BLOCK_BYTES, block);
  });
  return packet;
}

function writeBlock(view: DataView, at: number, block: ReportBlock): void {
  view.setUint32(at, block.ssrc);
  view.setUint32(at + 4, ((block.fractionLost ?? 0) << 24) | ((block.cumulativeLost ?? 0) & 0xff_ffff));
  view.setUint32(at + 8, block.highestSequence ?? 0);
  view.setUint32(at + 12, block.jitter ?? 0);
  view.setUint32(at + 16, block.lsr ?? 0);
  view.setUint32(at + 20, block.dlsr ?? 0);
}
