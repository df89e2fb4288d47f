// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from "node:timers/promises";
import { ConfigError } from "../config-error.ts";
import { type CodeCache, digestOf } from "./code-cache.ts";
import { fetchBytes } from "./fetch-bytes.ts";
import type { RemoteCode } from "./remote-code.ts";

/** As large as a module may be. */
const MAX_BYTES = 16 * 1024 * 1024;

/** How a source gets at bytes and lets time pass; the network and the clock unless said. */
export interface CodeSourceParts {
  readonly fetch: (uri: string, timeoutMs: number, maxBytes: number) => Promise<Uint8Array>;
  readonly sleep: (ms: number) => Promise<void>;
}

const realParts: CodeSourceParts = {
  fetch: fetchBytes,
  sleep: async (ms) => {
    await delay(ms, undefined, { ref: false });
  },
};

/** Gets code by its digest: from the cache, or from where it is published. */
export class CodeSource {
  readonly #cache: CodeCache;
  readonly #parts: CodeSourceParts;
  /** The fetches under way, by digest: two listeners with one filter fetch it once. */
  readonly #running = new Map<string, Promise<Uint8Array>>();

  constructor(cache: CodeCache, parts: CodeSourceParts = realParts) {
    this.#cache = cache;
    this.#parts = parts;
  }

  /**
   * The bytes of the code. Throws ConfigError MSM_FILTER_FETCH where they cannot be had, MSM_FILTER_DIGEST_MISMATCH where
   * others are published, or MSM_FILTER_FETCHING where they are not here yet and the configuration says not to wait.
   */
  async get(code: RemoteCode, field: string): Promise<Uint8Array> {
    const cached = await this.#cache.read(code.sha256);
    if (cached !== undefined) return cached;
    const fetching = this.#running.get(code.sha256) ?? this.#start(code, field);
    if (!code.nackOnMiss) return fetching;
    // Nobody waits: whether it came shows when the configuration is sent again.
    fetching.catch(() => {});
    const problem = `${code.uri} is not in the cache and is being fetched; send the configuration again`;
    throw new ConfigError("MSM_FILTER_FETCHING", field, problem);
  }

  #start(code: RemoteCode, field: string): Promise<Uint8Array> {
    const fetching = this.#fetch(code, field).finally(() => this.#running.delete(code.sha256));
    this.#running.set(code.sha256, fetching);
    return fetching;
  }

  async #fetch(code: RemoteCode, field: string): Promise<Uint8Array> {
    const bytes = await this.#fetchWithRetries(code, field);
    const digest = digestOf(bytes);
    if (digest !== code.sha256) {
      const problem = `${code.uri} has SHA-256 ${digest}, but ${code.sha256} was asked for`;
      throw new ConfigError("MSM_FILTER_DIGEST_MISMATCH", field, problem);
    }
    await this.#cache.write(code.sha256, bytes);
    return bytes;
  }

  async #fetchWithRetries(code: RemoteCode, field: string): Promise<Uint8Array> {
    for (let failures = 0; ; failures++) {
      try {
        return await this.#parts.fetch(code.uri, code.timeoutMs, MAX_BYTES);
      } catch (error) {
        if (failures >= code.retries) {
          const reason = error instanceof Error ? error.message : String(error);
          throw new ConfigError("MSM_FILTER_FETCH", field, `${reason}; tried ${failures + 1} times`);
        }
        await this.#parts.sleep(Math.min(code.maxMs, code.baseMs * 2 ** failures));
      }
    }
  }
}
