// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { HealthCheckPlan } from "../health-check-plan.ts";

/** A check every second, with changes. */
export function healthCheckPlan(changes: Partial<HealthCheckPlan> = {}): HealthCheckPlan {
  return {
    checker: "fake",
    options: undefined,
    timeoutMs: 200,
    intervalMs: 1000,
    unhealthyIntervalMs: 1000,
    unhealthyEdgeIntervalMs: 1000,
    healthyEdgeIntervalMs: 1000,
    initialJitterMs: 0,
    intervalJitterMs: 0,
    intervalJitterPercent: 0,
    unhealthyThreshold: 3,
    healthyThreshold: 2,
    altPort: 0,
    ...changes,
  };
}
