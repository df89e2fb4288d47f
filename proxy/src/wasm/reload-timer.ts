// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { ReloadPolicy } from "./filter-options.ts";

/** Says when a filter that broke may be made again: each wait is twice the one before, up to a limit. */
export class ReloadTimer {
  readonly #policy: ReloadPolicy | undefined;
  #attempts = 0;
  #startedAtMs: number;
  #dueMs = Number.POSITIVE_INFINITY;

  /** Without a policy it is never due. `nowMs` is when the first instance starts, on any monotonic clock. */
  constructor(policy: ReloadPolicy | undefined, nowMs: number) {
    this.#policy = policy;
    this.#startedAtMs = nowMs;
  }

  /** When the next attempt is due; Infinity where none is. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** The instance broke. Returns the milliseconds until the next attempt, or null where there will be none. */
  fail(nowMs: number): number | null {
    const policy = this.#policy;
    if (policy === undefined) return null;
    if (nowMs - this.#startedAtMs > policy.maxMs) this.#attempts = 0;
    const waitMs = Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(this.#attempts++, 30));
    this.#dueMs = nowMs + waitMs;
    return waitMs;
  }

  /** A new instance is being made. */
  start(nowMs: number): void {
    this.#startedAtMs = nowMs;
    this.#dueMs = Number.POSITIVE_INFINITY;
  }
}
