// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import type { ClusterPlan, EndpointPlan } from "../plan.ts";
import { type CheckCounts, type CheckWorld, EndpointCheck } from "./endpoint-check.ts";
import type { HealthCheckPlan } from "./health-check-plan.ts";
import type { HealthChecker } from "./health-checker.ts";
import { endpointKey } from "./lingering.ts";

/** What active checks say of an endpoint. */
export interface CheckedHealth {
  readonly isHealthy: boolean;
  /** Why the last check failed; empty after a success. */
  readonly lastFailure: string;
}

interface CheckedEndpoint {
  readonly plan: EndpointPlan;
  readonly checks: readonly EndpointCheck[];
}

interface CheckedCluster {
  readonly healthChecks: readonly HealthCheckPlan[];
  readonly endpoints: Map<string, CheckedEndpoint>;
}

/** The active checks of every cluster that has some. */
export class HealthChecks {
  readonly #checkers: ReadonlyMap<string, HealthChecker>;
  readonly #world: CheckWorld;
  readonly #onChange: () => void;
  readonly #clusters = new Map<string, CheckedCluster>();

  constructor(checkers: ReadonlyMap<string, HealthChecker>, world: CheckWorld, onChange: () => void) {
    this.#checkers = checkers;
    this.#world = world;
    this.#onChange = onChange;
  }

  /** Starts and stops checks so that they are those of the plan. What did not change goes on. */
  follow(plans: readonly ClusterPlan[]): void {
    const names = new Set(plans.map(({ name }) => name));
    for (const name of this.#clusters.keys()) if (!names.has(name)) this.#drop(name);
    for (const { name, endpoints, healthChecks = [] } of plans) {
      const known = this.#clusters.get(name);
      if (known !== undefined && !isDeepStrictEqual(known.healthChecks, healthChecks)) this.#drop(name);
      if (healthChecks.length > 0) this.#followCluster(name, endpoints, healthChecks);
    }
  }

  /** What the checks say of an endpoint; undefined where it is not checked. */
  healthOf(cluster: string, endpoint: EndpointPlan): CheckedHealth | undefined {
    const checks = this.#clusters.get(cluster)?.endpoints.get(endpointKey(endpoint))?.checks;
    if (checks === undefined) return undefined;
    return {
      isHealthy: checks.every(({ isHealthy }) => isHealthy),
      lastFailure: checks.map(({ lastFailure }) => lastFailure).find((reason) => reason !== "") ?? "",
    };
  }

  /** The counts of a cluster's checks; undefined where it is not checked. */
  countsOf(cluster: string): Readonly<CheckCounts> | undefined {
    const known = this.#clusters.get(cluster);
    if (known === undefined) return undefined;
    const all = [...known.endpoints.values()].flatMap(({ checks }) => checks.map(({ counts }) => counts));
    return all.reduce(
      (sum, counts) => ({
        attempt: sum.attempt + counts.attempt,
        success: sum.success + counts.success,
        failure: sum.failure + counts.failure,
      }),
      { attempt: 0, success: 0, failure: 0 },
    );
  }

  stop(): void {
    for (const name of [...this.#clusters.keys()]) this.#drop(name);
  }

  #followCluster(
    name: string,
    plans: readonly EndpointPlan[],
    healthChecks: readonly HealthCheckPlan[],
  ): void {
    const cluster = this.#clusters.get(name) ?? { healthChecks, endpoints: new Map() };
    this.#clusters.set(name, cluster);
    const wanted = new Map(
      plans.filter(({ check }) => !check?.isDisabled).map((plan) => [endpointKey(plan), plan]),
    );
    for (const [key, { plan, checks }] of cluster.endpoints) {
      if (isDeepStrictEqual(wanted.get(key)?.check, plan.check) && wanted.has(key)) continue;
      for (const check of checks) check.stop();
      cluster.endpoints.delete(key);
    }
    for (const [key, plan] of wanted) {
      if (cluster.endpoints.has(key)) continue;
      const checks = healthChecks.map((healthCheck) => this.#start(plan, healthCheck));
      cluster.endpoints.set(key, { plan, checks });
    }
  }

  #start({ address, port, check }: EndpointPlan, plan: HealthCheckPlan): EndpointCheck {
    const target = check ?? { address, port, hostname: "" };
    const asked = plan.altPort === 0 ? target : { ...target, port: plan.altPort };
    // The name was found among the checkers when the cluster was read.
    const checker = this.#checkers.get(plan.checker)!;
    return new EndpointCheck(asked, plan, checker, this.#world, this.#onChange);
  }

  #drop(name: string): void {
    for (const { checks } of this.#clusters.get(name)?.endpoints.values() ?? [])
      for (const check of checks) check.stop();
    this.#clusters.delete(name);
  }
}
