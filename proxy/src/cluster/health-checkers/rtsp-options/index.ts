// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { exchangeStream } from "../../exchange-stream.ts";
import type { HealthChecker } from "../../health-checker.ts";
import { refuseOptions } from "../../health-payload.ts";
import { checkStatusLine } from "../../status-line.ts";

/** An RTSP OPTIONS request over TCP (RFC 2326 section 10.1), answered with a status below 500. */
export const checker: HealthChecker<undefined> = {
  readOptions(json) {
    refuseOptions(json);
    return undefined;
  },

  async check(target, _, signal) {
    const request = Buffer.from("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: msm-proxy\r\n\r\n");
    const hasHeader = (received: Buffer): boolean => received.includes("\r\n\r\n");
    checkStatusLine(
      (await exchangeStream(target, request, hasHeader, signal)).toString("latin1"),
      "RTSP/1.0",
    );
  },
};
