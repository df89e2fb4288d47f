// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { exchangeDatagram } from "../../exchange-datagram.ts";
import type { HealthChecker } from "../../health-checker.ts";
import { refuseOptions } from "../../health-payload.ts";
import { checkStatusLine } from "../../status-line.ts";

/** A SIP OPTIONS request over UDP (RFC 3261 section 11), answered with a final status below 500. */
export const checker: HealthChecker<undefined> = {
  readOptions(json) {
    refuseOptions(json);
    return undefined;
  },

  async check({ address, port, hostname }, _, signal) {
    const callId = randomBytes(12).toString("hex");
    const host = hostname !== "" ? hostname : address.includes(":") ? `[${address}]` : address;
    const request = [
      `OPTIONS sip:${host}:${port} SIP/2.0`,
      // The name in Via is never resolved: the answer comes to the port that asked (RFC 3581).
      `Via: SIP/2.0/UDP msm-proxy.invalid;rport;branch=z9hG4bK${callId}`,
      "Max-Forwards: 70",
      `From: <sip:msm-proxy@msm-proxy.invalid>;tag=${callId.slice(0, 8)}`,
      `To: <sip:${host}:${port}>`,
      `Call-ID: ${callId}`,
      "CSeq: 1 OPTIONS",
      "Content-Length: 0",
      "\r\n",
    ].join("\r\n");
    const isAnswer = (datagram: Buffer): boolean => {
      const text = datagram.toString("latin1");
      return text.includes(callId) && !/^SIP\/2\.0 1/.test(text);
    };
    const answer = await exchangeDatagram({ address, port }, Buffer.from(request), isAnswer, signal);
    checkStatusLine(answer.toString("latin1"), "SIP/2.0");
  },
};
