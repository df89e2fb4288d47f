// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { durationMs } from "@msm/xds-protos";
import {
  type OutlierDetection,
  OutlierDetectionSchema,
} from "@msm/xds-protos/envoy/config/cluster/v3/outlier_detection_pb.js";
import type { Consecutive, OutlierPlan } from "../cluster/outlier-plan.ts";
import { type FieldRule, onlyFalse, onlyTrue, refuseOthers } from "./refuse.ts";

/** Envoy's defaults. */
const DEFAULT_ERRORS = 5;
const DEFAULT_INTERVAL_MS = 10_000;
const DEFAULT_BASE_EJECTION_MS = 30_000;
const DEFAULT_LONGEST_EJECTION_MS = 300_000;
const DEFAULT_MAX_EJECTION_PERCENT = 10;
const DEFAULT_MINIMUM_HOSTS = 5;
const DEFAULT_SUCCESS_VOLUME = 100;
const DEFAULT_FAILURE_VOLUME = 50;
/** Thousandths of a standard deviation. */
const DEFAULT_STDEV_FACTOR = 1900;
const DEFAULT_FAILURE_PERCENTAGE = 85;

/** What is said of each field of `OutlierDetection`; any other is refused. */
export const outlierRules: Readonly<Record<string, FieldRule>> = {
  interval: "accepted",
  base_ejection_time: "accepted",
  max_ejection_time: "accepted",
  max_ejection_time_jitter: "accepted",
  max_ejection_percent: "accepted",
  split_external_local_origin_errors: "accepted",
  consecutive_5xx: "accepted",
  enforcing_consecutive_5xx: "accepted",
  consecutive_gateway_failure: "accepted",
  enforcing_consecutive_gateway_failure: "accepted",
  consecutive_local_origin_failure: "accepted",
  enforcing_consecutive_local_origin_failure: "accepted",
  success_rate_minimum_hosts: "accepted",
  success_rate_request_volume: "accepted",
  success_rate_stdev_factor: "accepted",
  enforcing_success_rate: "accepted",
  enforcing_local_origin_success_rate: "accepted",
  failure_percentage_threshold: "accepted",
  failure_percentage_minimum_hosts: "accepted",
  failure_percentage_request_volume: "accepted",
  enforcing_failure_percentage: "accepted",
  enforcing_failure_percentage_local_origin: "accepted",
  // With two endpoints, as media often have, nobody could ever go otherwise.
  always_eject_one_host: onlyTrue,
  // A check that is answered says nothing of the media for which an endpoint was taken out.
  successful_active_health_check_uneject_host: onlyFalse,
};

/**
 * Reads outlier detection. Errors that sockets report are of local origin: Envoy counts them with
 * `consecutive_5xx` unless `split_external_local_origin_errors` is set, and so does this proxy.
 */
export function readOutlierDetection(
  config: OutlierDetection | undefined,
  path: string,
): OutlierPlan | undefined {
  if (config === undefined) return undefined;
  refuseOthers(OutlierDetectionSchema, config, path, outlierRules);
  const baseEjectionMs = ms(config.baseEjectionTime, DEFAULT_BASE_EJECTION_MS);
  return {
    consecutive: {
      isSplit: config.splitExternalLocalOriginErrors,
      serverErrors: consecutive(config.consecutive5xx, config.enforcingConsecutive5xx, 100),
      gatewayErrors: consecutive(
        config.consecutiveGatewayFailure,
        config.enforcingConsecutiveGatewayFailure,
        0,
      ),
      localErrors: consecutive(
        config.consecutiveLocalOriginFailure,
        config.enforcingConsecutiveLocalOriginFailure,
        100,
      ),
    },
    ...readRates(config),
    baseEjectionMs,
    longestEjectionMs: Math.max(baseEjectionMs, ms(config.maxEjectionTime, DEFAULT_LONGEST_EJECTION_MS)),
    ejectionJitterMs: ms(config.maxEjectionTimeJitter, 0),
    maxEjectionPercent: config.maxEjectionPercent ?? DEFAULT_MAX_EJECTION_PERCENT,
    intervalMs: ms(config.interval, DEFAULT_INTERVAL_MS),
  };
}

function readRates(config: OutlierDetection): Pick<OutlierPlan, "successRate" | "failurePercentage"> {
  return {
    successRate: {
      minimumHosts: config.successRateMinimumHosts ?? DEFAULT_MINIMUM_HOSTS,
      requestVolume: config.successRateRequestVolume ?? DEFAULT_SUCCESS_VOLUME,
      deviations: (config.successRateStdevFactor ?? DEFAULT_STDEV_FACTOR) / 1000,
      enforcing: {
        external: config.enforcingSuccessRate ?? 100,
        local: config.enforcingLocalOriginSuccessRate ?? 100,
      },
    },
    failurePercentage: {
      minimumHosts: config.failurePercentageMinimumHosts ?? DEFAULT_MINIMUM_HOSTS,
      requestVolume: config.failurePercentageRequestVolume ?? DEFAULT_FAILURE_VOLUME,
      threshold: config.failurePercentageThreshold ?? DEFAULT_FAILURE_PERCENTAGE,
      enforcing: {
        external: config.enforcingFailurePercentage ?? 0,
        local: config.enforcingFailurePercentageLocalOrigin ?? 0,
      },
    },
  };
}

function consecutive(
  limit: number | undefined,
  enforcing: number | undefined,
  otherwise: number,
): Consecutive {
  return { limit: Math.max(1, limit ?? DEFAULT_ERRORS), enforcing: enforcing ?? otherwise };
}

function ms(duration: OutlierDetection["interval"], otherwise: number): number {
  return duration === undefined ? otherwise : durationMs(duration);
}
