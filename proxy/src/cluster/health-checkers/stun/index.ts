// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { exchangeDatagram } from "../../exchange-datagram.ts";
import type { HealthChecker } from "../../health-checker.ts";
import { refuseOptions } from "../../health-payload.ts";

const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;
const MAGIC_COOKIE = 0x2112a442;
const HEADER_BYTES = 20;
const TRANSACTION_OFFSET = 8;

/** A STUN binding request (RFC 8489 sections 5 and 7.3.3), answered with success. */
export const checker: HealthChecker<undefined> = {
  readOptions(json) {
    refuseOptions(json);
    return undefined;
  },

  async check(target, _, signal) {
    const request = Buffer.alloc(HEADER_BYTES);
    request.writeUInt16BE(BINDING_REQUEST, 0);
    request.writeUInt32BE(MAGIC_COOKIE, 4);
    randomBytes(12).copy(request, TRANSACTION_OFFSET);
    const transaction = request.subarray(TRANSACTION_OFFSET);
    const isAnswer = (datagram: Buffer): boolean =>
      datagram.length >= HEADER_BYTES &&
      datagram.readUInt32BE(4) === MAGIC_COOKIE &&
      datagram.subarray(TRANSACTION_OFFSET, HEADER_BYTES).equals(transaction);
    const answer = await exchangeDatagram(target, request, isAnswer, signal);
    if (answer.readUInt16BE(0) !== BINDING_SUCCESS) throw new Error("the STUN server answered with an error");
  },
};
