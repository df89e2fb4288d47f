// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { OutlierPlan } from "./outlier-plan.ts";
import { type EndpointTraffic, SilenceWatch } from "./silence-watch.ts";

/** What is looked at of an endpoint: counters since its beginning, and its sessions now. */
export interface EndpointConduct extends EndpointTraffic {
  /** Of its sessions' sockets, and failures that signalling reports. */
  readonly errors: number;
}

/** What was seen of one endpoint. */
interface Seen {
  /** Errors since it was first seen. */
  errors: number;
  readonly silence: SilenceWatch;
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
 * Passive health of the endpoints of one cluster: a state machine over counters, after Envoy's outlier detection.
 * Errors count, and where the plan says so, silence.
 */
export class OutlierDetector {
  readonly #plan: OutlierPlan;
  readonly #seen = new Map<string, Seen>();

  constructor(plan: OutlierPlan) {
    this.#plan = plan;
  }

  /**
   * Looks at every endpoint of the cluster, by key. Returns whether some endpoint was taken out or put back.
   */
  sweep(conducts: ReadonlyMap<string, EndpointConduct>, nowMs: number): boolean {
    for (const key of this.#seen.keys()) if (!conducts.has(key)) this.#seen.delete(key);
    let isChanged = false;
    for (const [key, conduct] of conducts) {
      const seen = this.#seen.get(key);
      if (seen === undefined) {
        const { errors } = conduct;
        const silence = new SilenceWatch(conduct);
        const fresh = { errors, silence, consecutive: 0, ejections: 0, untilMs: 0, countedMs: nowMs };
        this.#seen.set(key, fresh);
        continue;
      }
      if (this.#look(seen, conduct, conducts.size, nowMs)) isChanged = true;
    }
    return isChanged;
  }

  isEjected(key: string): boolean {
    return (this.#seen.get(key)?.untilMs ?? 0) > 0;
  }

  #look(seen: Seen, conduct: EndpointConduct, endpoints: number, nowMs: number): boolean {
    const fresh = conduct.errors - seen.errors;
    seen.errors = conduct.errors;
    const { consecutiveErrors, silence } = this.#plan;
    const isSilent = silence !== undefined && seen.silence.look(conduct, silence, nowMs);
    seen.consecutive = fresh > 0 ? seen.consecutive + fresh : 0;
    if (seen.untilMs > 0) {
      if (nowMs < seen.untilMs) return false;
      seen.untilMs = 0;
      seen.consecutive = 0;
      seen.countedMs = nowMs;
      return true;
    }
    this.#forgive(seen, fresh, nowMs);
    const isFailing = consecutiveErrors > 0 && seen.consecutive >= consecutiveErrors;
    if (!(isFailing || isSilent) || !this.#mayEject(endpoints)) return false;
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
