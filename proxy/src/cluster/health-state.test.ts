// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { afterCheck, type CheckResult, nextIntervalMs, pendingHealth } from "./health-state.ts";
import { healthCheckPlan } from "./testing/health-check-plan.ts";

const plan = healthCheckPlan({ unhealthyThreshold: 3, healthyThreshold: 2 });

/** Whether an endpoint is well after each of these results. */
function healths(results: readonly CheckResult[]): readonly boolean[] {
  let state = pendingHealth;
  return results.map((result) => {
    state = afterCheck(state, result, plan);
    return state.isHealthy;
  });
}

describe("an endpoint", () => {
  test("is not well before it was checked, and what the first check says after it", () => {
    expect(pendingHealth.isHealthy).toBe(false);
    expect(healths(["success"])).toEqual([true]);
    expect(healths(["failure", "success", "success"])).toEqual([false, false, true]);
  });

  test("changes after so many results in a row, and one of the other kind begins the count anew", () => {
    expect(
      healths([
        "success",
        "failure",
        "failure",
        "success",
        "failure",
        "failure",
        "failure",
        "success",
        "success",
      ]),
    ).toEqual([true, true, true, true, true, true, false, false, true]);
  });

  test("that answers that it is not well is taken at its word", () => {
    expect(healths(["success", "verdict"])).toEqual([true, false]);
  });
});

test("intervals are those of the state and its edges, with their jitter", () => {
  const timed = healthCheckPlan({
    intervalMs: 1000,
    unhealthyIntervalMs: 5000,
    unhealthyEdgeIntervalMs: 100,
    healthyEdgeIntervalMs: 300,
  });
  const state = (isHealthy: boolean, contrary: number) => ({ isHealthy, isPending: false, contrary });
  expect(nextIntervalMs(state(true, 0), timed, 0.5)).toBe(1000);
  expect(nextIntervalMs(state(true, 1), timed, 0.5)).toBe(100);
  expect(nextIntervalMs(state(false, 0), timed, 0.5)).toBe(5000);
  expect(nextIntervalMs(state(false, 1), timed, 0.5)).toBe(300);
  const jittered = { ...timed, intervalJitterMs: 40, intervalJitterPercent: 10 };
  expect(nextIntervalMs(state(true, 0), jittered, 0.5)).toBe(1070);
});
