// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { MediaPlan } from "./media-judge.ts";
import type { SilencePlan } from "./silence-watch.ts";

/** So many failures in a row take an endpoint out, in so many percent of the cases; 0 percent never does. */
export interface Consecutive {
  readonly limit: number;
  readonly enforcing: number;
}

/** The runs of failures that count; Envoy's `consecutive_…` and `enforcing_consecutive_…`. */
export interface ConsecutivePlan {
  /** Whether failures to reach an endpoint count by themselves, and not as answers of 500 or more. */
  readonly isSplit: boolean;
  readonly serverErrors: Consecutive;
  /** Answers 502, 503 and 504, which are server errors as well. */
  readonly gatewayErrors: Consecutive;
  /** Errors of sockets and connections that could not be made. */
  readonly localErrors: Consecutive;
}

/** Which results a rate is made of: of all; or where they are split, answers and attempts to reach an endpoint. */
export interface RateEnforcing {
  readonly external: number;
  readonly local: number;
}

/** Endpoints whose results are much worse than those of the others; Envoy's `success_rate_…`. */
export interface SuccessRatePlan {
  /** So many endpoints must have so many results in an interval, or nothing is concluded. */
  readonly minimumHosts: number;
  readonly requestVolume: number;
  /** Those are taken out whose rate is below the mean by more than so many standard deviations. */
  readonly deviations: number;
  readonly enforcing: RateEnforcing;
}

/** Endpoints of whose results too many are failures, whatever the others do; Envoy's `failure_percentage_…`. */
export interface FailurePercentagePlan {
  readonly minimumHosts: number;
  readonly requestVolume: number;
  readonly threshold: number;
  readonly enforcing: RateEnforcing;
}

/** When an endpoint is taken out; Envoy's `OutlierDetection`, and what media say. Plain data. */
export interface OutlierPlan {
  readonly consecutive: ConsecutivePlan;
  readonly successRate: SuccessRatePlan;
  readonly failurePercentage: FailurePercentagePlan;
  /** An ejection lasts this long, twice as long the second time and so on, up to the longest, and a random part of the jitter. */
  readonly baseEjectionMs: number;
  readonly longestEjectionMs: number;
  readonly ejectionJitterMs: number;
  /** Not more than so many percent of the endpoints are out at once, but one always may be. */
  readonly maxEjectionPercent: number;
  /** Rates are of results of so long; after so long without errors the next ejection is shorter by one step. */
  readonly intervalMs: number;
  /** Whether silence takes endpoints out, too; not unless said. */
  readonly silence?: SilencePlan;
  /** Whether loss and jitter do; not unless said. */
  readonly media?: MediaPlan;
}
