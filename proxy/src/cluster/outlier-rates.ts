// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { OutlierPlan } from "./outlier-plan.ts";
import {
  failingEndpoints,
  type ResultCounts,
  rateOf,
  type SuccessRates,
  successRates,
} from "./result-rates.ts";

/** An endpoint whose results of an interval are those of an outlier. */
export interface RateOutlier {
  readonly key: string;
  readonly reason: "success_rate" | "failure_percentage";
  /** In how many percent of the cases it is taken out. */
  readonly enforcing: number;
}

type Origin = "external" | "local";

/** Compares the results of a cluster's endpoints once per interval. */
export class OutlierRates {
  readonly #plan: OutlierPlan;
  #counts: ReadonlyMap<string, ResultCounts> = new Map();
  #sinceMs: number | undefined;
  readonly #latest = new Map<Origin, SuccessRates>();

  constructor(plan: OutlierPlan) {
    this.#plan = plan;
  }

  /** The success rates of the interval before; undefined where too few endpoints had enough results. */
  latest(origin: Origin): SuccessRates | undefined {
    return this.#latest.get(origin);
  }

  /** The outliers of the interval where it is over, and otherwise none. */
  look(counts: ReadonlyMap<string, ResultCounts>, nowMs: number): readonly RateOutlier[] {
    this.#sinceMs ??= nowMs;
    if (this.#counts.size === 0) this.#counts = counts;
    if (nowMs - this.#sinceMs < this.#plan.intervalMs) return [];
    const before = this.#counts;
    this.#sinceMs = nowMs;
    this.#counts = counts;
    const external = this.#judge(counts, before, "external");
    return this.#plan.consecutive.isSplit ? [...external, ...this.#judge(counts, before, "local")] : external;
  }

  #judge(
    counts: ReadonlyMap<string, ResultCounts>,
    before: ReadonlyMap<string, ResultCounts>,
    origin: Origin,
  ): readonly RateOutlier[] {
    const { consecutive, successRate, failurePercentage } = this.#plan;
    const counted = consecutive.isSplit ? origin : "all";
    const rates = [...counts].flatMap(([key, now]) => {
      const then = before.get(key);
      return then === undefined ? [] : [rateOf(key, now, then, counted)];
    });
    const success = successRates(rates, successRate);
    if (success === undefined) this.#latest.delete(origin);
    else this.#latest.set(origin, success);
    const low = [...(success?.byKey ?? [])].filter(([, percent]) => percent < success!.threshold);
    const enforcing = successRate.enforcing[origin];
    return [
      ...low.map(([key]) => ({ key, reason: "success_rate" as const, enforcing })),
      ...failingEndpoints(rates, failurePercentage).map((key) => ({
        ...{ key, reason: "failure_percentage" as const, enforcing: failurePercentage.enforcing[origin] },
      })),
    ];
  }
}
