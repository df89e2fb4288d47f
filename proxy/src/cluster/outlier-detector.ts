// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type MediaConduct, MediaJudge } from "./media-judge.ts";
import type { OutlierPlan } from "./outlier-plan.ts";
import { OutlierRates } from "./outlier-rates.ts";
import type { ResultCounts } from "./result-rates.ts";
import { type EndpointTraffic, SilenceWatch } from "./silence-watch.ts";

/** What is looked at of an endpoint: counters since its beginning, its sessions now, and its media. */
export interface EndpointConduct extends EndpointTraffic, ResultCounts {
  /** Of its sessions' sockets. */
  readonly errors: number;
  /** How often failures in a row were enough; see `FailureRuns`. */
  readonly verdicts: number;
  readonly media?: MediaConduct | undefined;
}

/** Why an endpoint was taken out. */
export type EjectionReason =
  | "errors"
  | "results"
  | "silence"
  | "loss"
  | "jitter"
  | "success_rate"
  | "failure_percentage";

/** What was seen of one endpoint. */
interface Seen {
  /** Errors and verdicts since it was first seen. */
  errors: number;
  verdicts: number;
  readonly silence: SilenceWatch;
  readonly media: MediaJudge;
  /** Errors in sweeps that follow each other. */
  consecutive: number;
  /** How often it was taken out, less what good conduct took back. */
  ejections: number;
  /** Until when it is out; 0 where it is not. */
  untilMs: number;
  /** When conduct was last counted. */
  countedMs: number;
}

/** Passive health of the endpoints of one cluster: a state machine over counters, after Envoy's outlier detection. */
export class OutlierDetector {
  /** How often endpoints were taken out, by reason, and how often they would have been but for the limit. */
  readonly ejections = new Map<EjectionReason, number>();
  overflows = 0;
  readonly rates: OutlierRates;
  readonly #plan: OutlierPlan;
  readonly #random: () => number;
  readonly #seen = new Map<string, Seen>();

  /** `random` is from 0 to 1: for what is enforced by lot, and for jitter. */
  constructor(plan: OutlierPlan, random: () => number) {
    this.#plan = plan;
    this.#random = random;
    this.rates = new OutlierRates(plan);
  }

  /** Looks at every endpoint of the cluster, by key. Returns whether some endpoint was taken out or put back. */
  sweep(conducts: ReadonlyMap<string, EndpointConduct>, nowMs: number): boolean {
    for (const key of this.#seen.keys()) if (!conducts.has(key)) this.#seen.delete(key);
    let isChanged = false;
    for (const [key, conduct] of conducts) {
      const seen = this.#seen.get(key);
      if (seen === undefined) this.#seen.set(key, firstSight(conduct, nowMs));
      else if (this.#look(seen, conduct, nowMs)) isChanged = true;
    }
    for (const { key, reason, enforcing } of this.rates.look(conducts, nowMs)) {
      const seen = this.#seen.get(key);
      if (seen === undefined || seen.untilMs > 0 || this.#random() * 100 >= enforcing) continue;
      if (this.#eject(seen, reason, nowMs)) isChanged = true;
    }
    return isChanged;
  }

  isEjected(key: string): boolean {
    return (this.#seen.get(key)?.untilMs ?? 0) > 0;
  }

  /** How many endpoints are out. */
  get ejected(): number {
    return [...this.#seen.values()].filter(({ untilMs }) => untilMs > 0).length;
  }

  #look(seen: Seen, conduct: EndpointConduct, nowMs: number): boolean {
    const fresh = conduct.errors - seen.errors;
    const reason = this.#judge(seen, conduct, nowMs);
    if (seen.untilMs > 0) {
      if (nowMs < seen.untilMs) return false;
      seen.untilMs = 0;
      seen.consecutive = 0;
      seen.countedMs = nowMs;
      return true;
    }
    this.#forgive(seen, fresh, nowMs);
    return reason !== undefined && this.#eject(seen, reason, nowMs);
  }

  /** Takes over what is new. Returns why the endpoint should go, whether it is there or not. */
  #judge(seen: Seen, conduct: EndpointConduct, nowMs: number): EjectionReason | undefined {
    const { consecutive, silence, media } = this.#plan;
    const fresh = conduct.errors - seen.errors;
    const isCondemned = conduct.verdicts > seen.verdicts;
    seen.errors = conduct.errors;
    seen.verdicts = conduct.verdicts;
    seen.consecutive = fresh > 0 ? seen.consecutive + fresh : 0;
    const isSilent = silence !== undefined && seen.silence.look(conduct, silence, nowMs);
    const mediaReason = media && seen.media.judge(conduct.media, media);
    const { limit, enforcing } = consecutive.isSplit ? consecutive.localErrors : consecutive.serverErrors;
    if (seen.consecutive > 0 && seen.consecutive >= limit) {
      seen.consecutive = 0;
      if (this.#random() * 100 < enforcing) return "errors";
    }
    if (isCondemned) return "results";
    return isSilent ? "silence" : mediaReason;
  }

  #forgive(seen: Seen, fresh: number, nowMs: number): void {
    if (fresh > 0) seen.countedMs = nowMs;
    if (nowMs - seen.countedMs < this.#plan.intervalMs) return;
    seen.countedMs = nowMs;
    seen.ejections = Math.max(0, seen.ejections - 1);
  }

  #eject(seen: Seen, reason: EjectionReason, nowMs: number): boolean {
    const { maxEjectionPercent, baseEjectionMs, longestEjectionMs, ejectionJitterMs } = this.#plan;
    const out = this.ejected;
    if (out > 0 && (100 * (out + 1)) / this.#seen.size > maxEjectionPercent) {
      this.overflows++;
      return false;
    }
    seen.ejections++;
    const lengthMs = Math.min(baseEjectionMs * seen.ejections, longestEjectionMs);
    seen.untilMs = nowMs + lengthMs + this.#random() * ejectionJitterMs;
    this.ejections.set(reason, (this.ejections.get(reason) ?? 0) + 1);
    return true;
  }
}

function firstSight(conduct: EndpointConduct, nowMs: number): Seen {
  const { errors, verdicts } = conduct;
  return {
    ...{ errors, verdicts, consecutive: 0, ejections: 0, untilMs: 0, countedMs: nowMs },
    silence: new SilenceWatch(conduct),
    media: new MediaJudge(),
  };
}
