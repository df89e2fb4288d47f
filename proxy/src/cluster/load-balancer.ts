// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { BalancingPlan } from "./balancing-plan.ts";
import { createPicker } from "./create-picker.ts";
import type { LoadMeter } from "./load-meter.ts";
import { localityWeights } from "./locality-weights.ts";
import type { Picker, PickerWorld } from "./picker.ts";
import { priorityLoads } from "./priority-load.ts";
import type { LbMetadata, SubsetMatch } from "./subset-plan.ts";

/**
 * Whether an endpoint takes new sessions. DRAINING ones, the lame ducks, and those that LEFT the cluster and linger
 * keep the sessions that they have and get none, not even in panic; those that left do not count as endpoints.
 */
export type EndpointHealth = "HEALTHY" | "DEGRADED" | "UNHEALTHY" | "DRAINING" | "LEFT";

/** An endpoint of a cluster, with everything by which it is chosen. */
export interface BalancedEndpoint {
  readonly key: string;
  readonly health: EndpointHealth;
  readonly weight: number;
  /** 0 is taken first. */
  readonly priority: number;
  /** Number of the locality that it stands in, and that locality's weight. */
  readonly locality: number;
  readonly localityWeight: number;
  readonly sinceMs: number;
  readonly counters: number;
  /** How much its sessions carry; only where the policy compares that. */
  readonly meter?: LoadMeter;
  /** What sorts it into subsets; nothing unless said. */
  readonly metadata?: LbMetadata;
}

/** Chooses among the endpoints of one cluster. */
export interface Balancer {
  /**
   * Index of an endpoint for a new session, or -1 where none may have it. `high` and `low` are the halves of the
   * session's hash; `subset` counts only in a cluster that has subsets.
   */
  pick(high: number, low: number, subset?: SubsetMatch): number;
}

/** Endpoints between which one picker chooses, and up to which percent of draws it does. */
interface Group {
  readonly upTo: number;
  readonly picker: Picker;
  /** Index of each candidate among the cluster's endpoints. */
  readonly members: Int32Array;
}

/** Chooses among all endpoints that it was given: a level of priority and a tier of health, then by the policy. */
export class LoadBalancer implements Balancer {
  readonly #groups: readonly Group[];
  readonly #usesHash: boolean;
  readonly #random: () => number;

  constructor(plan: BalancingPlan, endpoints: readonly BalancedEndpoint[], world: PickerWorld) {
    this.#usesHash = plan.policy.kind === "RING_HASH" || plan.policy.kind === "MAGLEV";
    this.#random = world.random;
    this.#groups = makeGroups(plan, endpoints, world);
  }

  /** Index of an endpoint for a new session, or -1 where none may have it. Allocates nothing. */
  pick(high: number, low: number): number {
    const groups = this.#groups;
    if (groups.length === 0) return -1;
    let at = 0;
    if (groups.length > 1) {
      // The hash decides about the level, too, so that a client keeps its endpoint while loads stay.
      const draw = this.#usesHash ? percentOf(high, low) : this.#random() * 100;
      while (at < groups.length - 1 && draw >= groups[at]!.upTo) at++;
    }
    const { picker, members } = groups[at]!;
    return members[picker.pick(high, low)]!;
  }
}

/** The remainder of the hash divided by 100. */
function percentOf(high: number, low: number): number {
  return ((high % 100) * (2 ** 32 % 100) + (low % 100)) % 100;
}

function makeGroups(
  plan: BalancingPlan,
  endpoints: readonly BalancedEndpoint[],
  world: PickerWorld,
): readonly Group[] {
  const groups: Group[] = [];
  let upTo = 0;
  for (const { level, members, percent } of sharesOf(plan, endpoints)) {
    const weights = weightsOf(members, level, plan);
    const candidates = members
      .map((endpoint, at) => ({ ...endpoint, weight: weights[at]! }))
      .filter(({ weight }) => weight > 0);
    if (percent === 0 || candidates.length === 0) continue;
    upTo += percent;
    groups.push({
      upTo,
      picker: createPicker(plan.policy, candidates, world),
      members: Int32Array.from(candidates, ({ index }) => index),
    });
  }
  return groups;
}

interface Member extends BalancedEndpoint {
  /** Among the endpoints of the cluster. */
  readonly index: number;
}

/** Who shares how many percent of new sessions: the healthy ones of each level, then the degraded ones of each. */
function sharesOf(
  plan: BalancingPlan,
  endpoints: readonly BalancedEndpoint[],
): readonly {
  readonly level: readonly Member[];
  readonly members: readonly Member[];
  readonly percent: number;
}[] {
  const present = endpoints
    .map((endpoint, index): Member => ({ ...endpoint, index }))
    .filter(({ health }) => health !== "LEFT");
  const last = present.reduce((highest, { priority }) => Math.max(highest, priority), -1);
  const levels = Array.from({ length: last + 1 }, (_, level) =>
    present.filter(({ priority }) => priority === level),
  );
  const loads = priorityLoads(
    levels.map((level) => ({
      healthy: level.filter(({ health }) => health === "HEALTHY").length,
      degraded: level.filter(({ health }) => health === "DEGRADED").length,
      total: level.length,
    })),
    plan,
  );
  return (["HEALTHY", "DEGRADED"] as const).flatMap((tier) =>
    levels.map((level, priority) => {
      const { isInPanic, healthy, degraded } = loads[priority]!;
      const members = level.filter(({ health }) => (isInPanic ? health !== "DRAINING" : health === tier));
      return { level, members, percent: tier === "HEALTHY" ? healthy : degraded };
    }),
  );
}

function weightsOf(
  members: readonly Member[],
  level: readonly Member[],
  plan: BalancingPlan,
): readonly number[] {
  return plan.isLocalityWeighted
    ? localityWeights(members, level, plan.overprovisioningFactor)
    : members.map(({ weight }) => weight);
}
