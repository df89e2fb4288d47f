// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { durationMs } from "@msm/xds-protos";
import {
  type OutlierDetection,
  OutlierDetectionSchema,
} from "@msm/xds-protos/envoy/config/cluster/v3/outlier_detection_pb.js";
import type { OutlierPlan } from "../cluster/outlier-plan.ts";
import { at, type FieldRule, refuse, refuseOthers } from "./refuse.ts";

/** Envoy's defaults. */
const DEFAULT_ERRORS = 5;
const DEFAULT_INTERVAL_MS = 10_000;
const DEFAULT_BASE_EJECTION_MS = 30_000;
const DEFAULT_LONGEST_EJECTION_MS = 300_000;
const DEFAULT_MAX_EJECTION_PERCENT = 10;

/** What is said of each field of `OutlierDetection`; any other is refused. */
export const outlierRules: Readonly<Record<string, FieldRule>> = {
  interval: "accepted",
  base_ejection_time: "accepted",
  max_ejection_time: "accepted",
  max_ejection_percent: "accepted",
  split_external_local_origin_errors: "accepted",
  consecutive_5xx: "accepted",
  consecutive_local_origin_failure: "accepted",
  enforcing_consecutive_5xx: "accepted",
  enforcing_consecutive_local_origin_failure: "accepted",
  // Answers of gateways and rates of success: sockets report neither.
  consecutive_gateway_failure: "accepted",
  enforcing_consecutive_gateway_failure: "accepted",
  enforcing_success_rate: { only: 0, hint: "datagrams have no rate of success; set it to 0" },
  enforcing_local_origin_success_rate: { only: 0, hint: "datagrams have no rate of success; set it to 0" },
  enforcing_failure_percentage: { only: 0, hint: "datagrams have no rate of success; set it to 0" },
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
  const isSplit = config.splitExternalLocalOriginErrors;
  const errors = isSplit ? config.consecutiveLocalOriginFailure : config.consecutive5xx;
  const enforcedField = isSplit ? "enforcing_consecutive_local_origin_failure" : "enforcing_consecutive_5xx";
  const enforced =
    (isSplit ? config.enforcingConsecutiveLocalOriginFailure : config.enforcingConsecutive5xx) ?? 100;
  if (enforced !== 0 && enforced !== 100) {
    refuse("MSM_CONFIG_UNSUPPORTED_VALUE", at(path, enforcedField), "must be 0 or 100");
  }
  const ms = (duration: OutlierDetection["interval"], otherwise: number) =>
    duration === undefined ? otherwise : durationMs(duration);
  const baseEjectionMs = ms(config.baseEjectionTime, DEFAULT_BASE_EJECTION_MS);
  return {
    consecutiveErrors: enforced === 0 ? 0 : (errors ?? DEFAULT_ERRORS),
    baseEjectionMs,
    longestEjectionMs: Math.max(baseEjectionMs, ms(config.maxEjectionTime, DEFAULT_LONGEST_EJECTION_MS)),
    maxEjectionPercent: config.maxEjectionPercent ?? DEFAULT_MAX_EJECTION_PERCENT,
    intervalMs: ms(config.interval, DEFAULT_INTERVAL_MS),
  };
}
