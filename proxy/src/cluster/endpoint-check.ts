// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { HealthCheckPlan } from "./health-check-plan.ts";
import { type CheckTarget, type HealthChecker, HealthVerdict } from "./health-checker.ts";
import {
  afterCheck,
  type CheckResult,
  type HealthState,
  nextIntervalMs,
  pendingHealth,
} from "./health-state.ts";

/** Time and chance, as they are passed in. */
export interface CheckWorld {
  /** Resolves after so many milliseconds, or early when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
}

/** Counts of one endpoint's checks, by Envoy's names. */
export interface CheckCounts {
  attempt: number;
  success: number;
  failure: number;
}

/** Checks one endpoint again and again until stopped, and tells when its health changed. */
export class EndpointCheck {
  readonly counts: CheckCounts = { attempt: 0, success: 0, failure: 0 };
  /** Why the last check failed; empty after a success. */
  lastFailure = "";
  readonly #stop = new AbortController();
  #state: HealthState = pendingHealth;

  constructor(
    target: CheckTarget,
    plan: HealthCheckPlan,
    checker: HealthChecker,
    world: CheckWorld,
    onChange: () => void,
  ) {
    void this.#run(target, plan, checker, world, onChange);
  }

  get isHealthy(): boolean {
    return this.#state.isHealthy;
  }

  stop(): void {
    this.#stop.abort();
  }

  async #run(
    target: CheckTarget,
    plan: HealthCheckPlan,
    checker: HealthChecker,
    world: CheckWorld,
    onChange: () => void,
  ): Promise<void> {
    const { signal } = this.#stop;
    if (plan.initialJitterMs > 0) await world.sleep(world.random() * plan.initialJitterMs, signal);
    while (!signal.aborted) {
      const result = await this.#check(target, plan, checker, world);
      if (signal.aborted) return;
      this.counts.attempt++;
      this.counts[result === "success" ? "success" : "failure"]++;
      const wasHealthy = this.#state.isHealthy;
      this.#state = afterCheck(this.#state, result, plan);
      if (this.#state.isHealthy !== wasHealthy) onChange();
      await world.sleep(nextIntervalMs(this.#state, plan, world.random()), signal);
    }
  }

  async #check(
    target: CheckTarget,
    plan: HealthCheckPlan,
    checker: HealthChecker,
    world: CheckWorld,
  ): Promise<CheckResult> {
    const end = new AbortController();
    const onStop = () => end.abort(new Error("stopped"));
    this.#stop.signal.addEventListener("abort", onStop);
    void world.sleep(plan.timeoutMs, end.signal).then(() => end.abort(new Error("no answer in time")));
    try {
      await checker.check(target, plan.options, end.signal);
      this.lastFailure = "";
      return "success";
    } catch (error) {
      this.lastFailure = error instanceof Error ? error.message : String(error);
      return error instanceof HealthVerdict ? "verdict" : "failure";
    } finally {
      this.#stop.signal.removeEventListener("abort", onStop);
      end.abort();
    }
  }
}
