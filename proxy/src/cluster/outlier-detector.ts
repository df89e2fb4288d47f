// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { OutlierPlan } from "./outlier-plan.ts";

/** What was seen of one endpoint. */
interface Seen {
  /** Errors since it was first seen. */
  errors: number;
  /** Errors in sweeps that follow each other. */
  consecutive: number;
  /** How often it was taken out, less what good conduct took back. */
  ejections: number;
  /** Until when it is out; 0 where it is not. */
  untilMs: number;
  /** When conduct was last counted. */
  countedMs: number;
}

/**
 * Passive health of the endpoints of one cluster: a state machine over counters of errors, after Envoy's outlier
 * detection. What it cannot know is whether a silent endpoint is well: only errors that sockets report count.
 */
export class OutlierDetector {
  readonly #plan: OutlierPlan;
  readonly #seen = new Map<string, Seen>();

  constructor(plan: OutlierPlan) {
    this.#plan = plan;
  }

  /**
   * Looks at the errors of every endpoint of the cluster, counted since its beginning, by key. Returns whether some
   * endpoint was taken out or put back.
   */
  sweep(errors: ReadonlyMap<string, number>, nowMs: number): boolean {
    for (const key of this.#seen.keys()) if (!errors.has(key)) this.#seen.delete(key);
    let isChanged = false;
    for (const [key, total] of errors) {
      const seen = this.#seen.get(key);
      if (seen === undefined) {
        const fresh = { errors: total, consecutive: 0, ejections: 0, untilMs: 0, countedMs: nowMs };
        this.#seen.set(key, fresh);
        continue;
      }
      if (this.#look(seen, total, errors.size, nowMs)) isChanged = true;
    }
    return isChanged;
  }

  isEjected(key: string): boolean {
    return (this.#seen.get(key)?.untilMs ?? 0) > 0;
  }

  #look(seen: Seen, total: number, endpoints: number, nowMs: number): boolean {
    const fresh = total - seen.errors;
    seen.errors = total;
    seen.consecutive = fresh > 0 ? seen.consecutive + fresh : 0;
    if (seen.untilMs > 0) {
      if (nowMs < seen.untilMs) return false;
      seen.untilMs = 0;
      seen.consecutive = 0;
      seen.countedMs = nowMs;
      return true;
    }
    this.#forgive(seen, fresh, nowMs);
    const { consecutiveErrors } = this.#plan;
    if (consecutiveErrors === 0 || seen.consecutive < consecutiveErrors) return false;
    if (!this.#mayEject(endpoints)) return false;
    seen.ejections++;
    const { baseEjectionMs, longestEjectionMs } = this.#plan;
    seen.untilMs = nowMs + Math.min(baseEjectionMs * seen.ejections, longestEjectionMs);
    return true;
  }

  #forgive(seen: Seen, fresh: number, nowMs: number): void {
    if (fresh > 0) seen.countedMs = nowMs;
    if (nowMs - seen.countedMs < this.#plan.intervalMs) return;
    seen.countedMs = nowMs;
    seen.ejections = Math.max(0, seen.ejections - 1);
  }

  #mayEject(endpoints: number): boolean {
    const out = [...this.#seen.values()].filter(({ untilMs }) => untilMs > 0).length;
    return out === 0 || (100 * (out + 1)) / endpoints <= this.#plan.maxEjectionPercent;
  }
}
