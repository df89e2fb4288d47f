// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { ResourceType } from "../config/resource.ts";

/** Something that has expired. */
export interface Expired {
  readonly type: ResourceType;
  readonly name: string;
}

/** Time, as lifetimes need it. */
export interface LifetimeClock {
  nowMs(): number;
  /** Calls `run` once after so long, unless the returned function is called first. */
  after(ms: number, run: () => void): () => void;
}

/** The longest that a timer of the platform can wait; what lives longer is looked at again then. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/** The real clock. Its timers keep no process alive. */
export const systemLifetimeClock: LifetimeClock = {
  nowMs: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};

/**
 * Knows until when each resource with a time to live is wanted, and which of them went without word from the control
 * plane for so long (xds_protocol.rst, "TTL").
 */
export class Lifetimes {
  readonly #clock: LifetimeClock;
  readonly #onDue: () => void;
  readonly #ends = new Map<string, Expired & { readonly atMs: number }>();
  #cancel: (() => void) | undefined;

  /** `onDue` is called when something may have expired: `takeExpired` tells what, at the caller's time. */
  constructor(clock: LifetimeClock, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** A resource lives for so long from now; for ever where that is undefined. */
  set(type: ResourceType, name: string, lifetimeMs: number | undefined): void {
    const key = `${type} ${name}`;
    if (lifetimeMs === undefined) {
      if (!this.#ends.delete(key)) return;
    } else this.#ends.set(key, { type, name, atMs: this.#clock.nowMs() + lifetimeMs });
    this.#schedule();
  }

  /** What has expired, once. */
  takeExpired(): readonly Expired[] {
    const nowMs = this.#clock.nowMs();
    const expired = [...this.#ends].filter(([, { atMs }]) => atMs <= nowMs);
    for (const [key] of expired) this.#ends.delete(key);
    this.#schedule();
    return expired.map(([, { type, name }]) => ({ type, name }));
  }

  /** Ends the waiting. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#ends.clear();
  }

  #schedule(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#ends.size === 0) return;
    const firstMs = Math.min(...[...this.#ends.values()].map(({ atMs }) => atMs));
    const waitMs = Math.min(Math.max(0, firstMs - this.#clock.nowMs()), LONGEST_WAIT_MS);
    this.#cancel = this.#clock.after(waitMs, this.#onDue);
  }
}
