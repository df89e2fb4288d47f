// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 20;

/**
 * Polls until `check` returns something other than undefined or false, and returns that. Throws when the time is over,
 * naming what was waited for and the last error of `check`, whose exceptions count as "not yet".
 */
export async function until<T>(
  what: string,
  check: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 10_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let lastError: unknown;
    try {
      const found = await check();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() > deadline) {
      throw new Error(
        `${timeoutMs} ms passed before ${what}`,
        lastError === undefined ? {} : { cause: lastError },
      );
    }
    await delay(POLL_MS);
  }
}
