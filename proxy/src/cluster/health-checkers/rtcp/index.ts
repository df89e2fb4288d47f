// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { exchangeDatagram } from "../../exchange-datagram.ts";
import type { HealthChecker } from "../../health-checker.ts";
import { refuseOptions } from "../../health-payload.ts";

/** Version 2, and the packet type (RFC 3550 sections 6.4.2 and 6.5). */
const RECEIVER_REPORT = 0x80c9;
const SOURCE_DESCRIPTION = 0x81ca;
const CNAME = 1;
const NAME = "msm";
const HEADER_BYTES = 8;
/** Packet types 192 to 223 are RTCP's where both share a port (RFC 5761 section 4). */
const [FIRST_RTCP, LAST_RTCP] = [192, 223];

/**
 * RTP and RTCP liveness: an empty receiver report with a CNAME, which is what a receiver that has heard nothing sends
 * (RFC 3550 section 6.1), answered by any RTCP, or by RTP of a sender that takes whoever reports.
 */
export const checker: HealthChecker<undefined> = {
  readOptions(json) {
    refuseOptions(json);
    return undefined;
  },

  async check(target, _, signal) {
    await exchangeDatagram(target, compoundReport(), isMedia, signal);
  },
};

function compoundReport(): Buffer {
  const ssrc = randomBytes(4).readUInt32BE();
  // The item, its end and padding to 32 bits: as many zeros as are left.
  const packet = Buffer.alloc(HEADER_BYTES + HEADER_BYTES + 8);
  packet.writeUInt16BE(RECEIVER_REPORT, 0);
  packet.writeUInt16BE(1, 2);
  packet.writeUInt32BE(ssrc, 4);
  packet.writeUInt16BE(SOURCE_DESCRIPTION, 8);
  packet.writeUInt16BE(3, 10);
  packet.writeUInt32BE(ssrc, 12);
  packet[16] = CNAME;
  packet[17] = NAME.length;
  packet.write(NAME, 18, "latin1");
  return packet;
}

/** Whether it begins as RTCP, or as RTP with its whole header. */
function isMedia(datagram: Buffer): boolean {
  if (datagram.length < HEADER_BYTES || datagram[0]! >> 6 !== 2) return false;
  const isRtcp = datagram[1]! >= FIRST_RTCP && datagram[1]! <= LAST_RTCP;
  return isRtcp ? (datagram.readUInt16BE(2) + 1) * 4 <= datagram.length : datagram.length >= 12;
}
