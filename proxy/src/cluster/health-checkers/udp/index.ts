// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { exchangeDatagram } from "../../exchange-datagram.ts";
import type { HealthChecker } from "../../health-checker.ts";
import { type Expectation, holdsBlocks, readExpectation } from "../../health-payload.ts";

/** A datagram and an answer: any, or one that holds what is expected. */
export const checker: HealthChecker<Expectation> = {
  readOptions: readExpectation,

  async check(target, { send, receive }, signal) {
    await exchangeDatagram(target, send, (datagram) => holdsBlocks(datagram, receive), signal);
  },
};
