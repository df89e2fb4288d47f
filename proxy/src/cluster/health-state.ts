// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { HealthCheckPlan } from "./health-check-plan.ts";

/** What checks of one endpoint came to so far. */
export interface HealthState {
  readonly isHealthy: boolean;
  /** Whether it was never checked. */
  readonly isPending: boolean;
  /** Results in a row that speak against `isHealthy`. */
  readonly contrary: number;
}

/** Envoy's beginning: an endpoint has to show that it is well. */
export const pendingHealth: HealthState = { isHealthy: false, isPending: true, contrary: 0 };

/** What a check said; `verdict` is a failure that waits for no threshold. */
export type CheckResult = "success" | "failure" | "verdict";

/** The state after a check. The first one decides at once, as in Envoy. Pure. */
export function afterCheck(
  state: HealthState,
  result: CheckResult,
  { healthyThreshold, unhealthyThreshold }: Pick<HealthCheckPlan, "healthyThreshold" | "unhealthyThreshold">,
): HealthState {
  const isSuccess = result === "success";
  if (isSuccess === state.isHealthy) return { isHealthy: isSuccess, isPending: false, contrary: 0 };
  const threshold = isSuccess ? healthyThreshold : unhealthyThreshold;
  const contrary = state.contrary + 1;
  if (state.isPending || result === "verdict" || contrary >= threshold) {
    return { isHealthy: isSuccess, isPending: false, contrary: 0 };
  }
  return { isHealthy: state.isHealthy, isPending: false, contrary };
}

/** How long to wait after a check, in milliseconds; `random` is from 0 to 1. Pure. */
export function nextIntervalMs(state: HealthState, plan: HealthCheckPlan, random: number): number {
  const isEdge = state.contrary > 0;
  const interval = state.isHealthy
    ? isEdge
      ? plan.unhealthyEdgeIntervalMs
      : plan.intervalMs
    : isEdge
      ? plan.healthyEdgeIntervalMs
      : plan.unhealthyIntervalMs;
  const jitterMs = plan.intervalJitterMs + (interval * plan.intervalJitterPercent) / 100;
  return interval + random * jitterMs;
}
