// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from "node:timers/promises";
import { probeAddress } from "./config/probe-address.ts";
import type { ProxyParts } from "./proxy-options.ts";
import { checkSignalling } from "./signalling/check-signalling.ts";
import { checkFilter, compileFilter } from "./wasm/index.ts";
import { startDatapath } from "./worker/worker-pool.ts";

/** The parts of a proxy that moves real datagrams. */
export const realParts: ProxyParts = {
  startDatapath,
  filterHost: { compileFilter, checkFilter, checkSignalling },
  probeAddress,
  surroundings: {
    nowMs: () => performance.now(),
    // An abort ends the wait early; nothing is wrong then.
    sleep: (ms, signal) => delay(ms, undefined, { signal }).catch(() => {}),
    random: Math.random,
  },
};
