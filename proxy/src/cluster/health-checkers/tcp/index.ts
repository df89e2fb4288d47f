// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { exchangeStream } from "../../exchange-stream.ts";
import type { HealthChecker } from "../../health-checker.ts";
import { type Expectation, holdsBlocks, readExpectation } from "../../health-payload.ts";

/** A TCP connection; with a payload, an answer that holds what is expected. Envoy's `tcp_health_check`. */
export const checker: HealthChecker<Expectation> = {
  readOptions: readExpectation,

  async check(target, { send, receive }, signal) {
    await exchangeStream(target, send, (received) => holdsBlocks(received, receive), signal);
  },
};
