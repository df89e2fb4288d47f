// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { FailurePercentagePlan, SuccessRatePlan } from "./outlier-plan.ts";

/** How requests to an endpoint turned out, counted since its beginning. */
export interface ResultCounts {
  /** Answers below 500. */
  readonly successes: number;
  /** Answers of 500 and more. */
  readonly serverErrors: number;
  /** It could not be reached, or gave no answer. */
  readonly connectFailures: number;
}

/** What was counted of an endpoint in an interval. */
export interface ResultRate {
  readonly key: string;
  readonly successes: number;
  readonly failures: number;
}

/** The difference of counts, with what counts as a failure: all; or where they are split, one origin's alone. */
export function rateOf(
  key: string,
  now: ResultCounts,
  before: ResultCounts,
  origin: "all" | "external" | "local",
): ResultRate {
  const successes = now.successes - before.successes;
  const serverErrors = now.serverErrors - before.serverErrors;
  const connectFailures = now.connectFailures - before.connectFailures;
  switch (origin) {
    case "all":
      return { key, successes, failures: serverErrors + connectFailures };
    case "external":
      return { key, successes, failures: serverErrors };
    case "local":
      // Whoever answers was reached, be it with an error.
      return { key, successes: successes + serverErrors, failures: connectFailures };
  }
}

/** The success rates of an interval in percent, and below which one an endpoint is an outlier. */
export interface SuccessRates {
  readonly byKey: ReadonlyMap<string, number>;
  readonly average: number;
  readonly threshold: number;
}

/** The success rates of endpoints that had enough results; undefined where too few endpoints had. */
export function successRates(
  rates: readonly ResultRate[],
  plan: Pick<SuccessRatePlan, "minimumHosts" | "requestVolume" | "deviations">,
): SuccessRates | undefined {
  const known = withVolume(rates, plan.requestVolume);
  if (known.length === 0 || known.length < plan.minimumHosts) return undefined;
  const byKey = new Map(known.map((rate) => [rate.key, percentOf(rate)]));
  const percents = [...byKey.values()];
  const average = percents.reduce((sum, percent) => sum + percent, 0) / percents.length;
  const variance = percents.reduce((sum, percent) => sum + (percent - average) ** 2, 0) / percents.length;
  return { byKey, average, threshold: average - plan.deviations * Math.sqrt(variance) };
}

/** The endpoints of whose results too many are failures; none where too few endpoints had enough results. */
export function failingEndpoints(
  rates: readonly ResultRate[],
  plan: Pick<FailurePercentagePlan, "minimumHosts" | "requestVolume" | "threshold">,
): readonly string[] {
  const known = withVolume(rates, plan.requestVolume);
  if (known.length < plan.minimumHosts) return [];
  return known.filter((rate) => 100 - percentOf(rate) >= plan.threshold).map(({ key }) => key);
}

function withVolume(rates: readonly ResultRate[], volume: number): readonly ResultRate[] {
  return rates.filter(({ successes, failures }) => successes + failures >= Math.max(1, volume));
}

function percentOf({ successes, failures }: ResultRate): number {
  return (100 * successes) / (successes + failures);
}
