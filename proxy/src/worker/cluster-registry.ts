// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import type { CounterBlocks } from "../datapath/counter-blocks.ts";
import { CLUSTER_SLOTS, ENDPOINT_SLOTS } from "../datapath/counters.ts";
import { formatSocketAddress } from "../datapath/sockaddr.ts";
import type { ClusterPlan, EndpointPlan } from "../plan.ts";
import type { WorkerCluster, WorkerClusterChange, WorkerEndpoint } from "./protocol.ts";

interface Entry {
  readonly plan: ClusterPlan;
  readonly told: WorkerCluster;
  /** By `ip:port`, with what the plan says of each. */
  readonly endpoints: ReadonlyMap<string, KnownEndpoint>;
}

interface KnownEndpoint {
  readonly plan: EndpointPlan;
  readonly told: WorkerEndpoint;
}

/** Clusters as workers know them: numbers for endpoints and slots for counters, stable as long as they last. */
export class ClusterRegistry {
  readonly #blocks: CounterBlocks;
  readonly #entries = new Map<string, Entry>();
  #nextEndpointId = 1;

  constructor(blocks: CounterBlocks) {
    this.#blocks = blocks;
  }

  get all(): readonly WorkerCluster[] {
    return [...this.#entries.values()].map(({ told }) => told);
  }

  /**
   * Follows the plan. Returns what workers have to be told that know everything until now, and `release`, which gives
   * back the counters of what is gone; to be called when every worker was told.
   */
  update(plans: readonly ClusterPlan[]): {
    readonly changed: readonly WorkerClusterChange[];
    readonly removed: readonly string[];
    readonly release: () => void;
  } {
    const gone: (() => void)[] = [];
    const changed = plans
      .filter((plan) => this.#entries.get(plan.name)?.plan !== plan)
      .map((plan) => this.#set(plan, gone));
    const names = new Set(plans.map(({ name }) => name));
    const removed = [...this.#entries.keys()].filter((name) => !names.has(name));
    for (const name of removed) {
      const { told } = this.#entries.get(name)!;
      this.#entries.delete(name);
      gone.push(() => this.#blocks.free(told.counters, CLUSTER_SLOTS));
      for (const endpoint of told.endpoints)
        gone.push(() => this.#blocks.free(endpoint.counters, ENDPOINT_SLOTS));
    }
    return {
      changed,
      removed,
      release: () => {
        for (const free of gone) free();
      },
    };
  }

  #set(plan: ClusterPlan, gone: (() => void)[]): WorkerClusterChange {
    const old = this.#entries.get(plan.name);
    const endpoints = new Map<string, KnownEndpoint>();
    const change: (WorkerEndpoint | number)[] = [];
    const isPolicyKept = isDeepStrictEqual(old?.plan.balancing, plan.balancing);
    for (const endpoint of plan.endpoints) {
      const key = formatSocketAddress(endpoint);
      if (endpoints.has(key)) continue;
      const before = old?.endpoints.get(key);
      const known = this.#follow(endpoint, before);
      endpoints.set(key, known);
      // What a worker makes of an endpoint may depend on the policy.
      change.push(isPolicyKept && known === before ? known.told.id : known.told);
    }
    for (const [key, { told }] of old?.endpoints ?? []) {
      if (!endpoints.has(key)) gone.push(() => this.#blocks.free(told.counters, ENDPOINT_SLOTS));
    }
    const own = {
      name: plan.name,
      counters: old?.told.counters ?? this.#blocks.allocate(CLUSTER_SLOTS),
      ...(plan.balancing === undefined ? {} : { balancing: plan.balancing }),
    };
    const told = { ...own, endpoints: [...endpoints.values()].map((known) => known.told) };
    this.#entries.set(plan.name, { plan, told, endpoints });
    return { ...own, endpoints: change };
  }

  /** The endpoint as it is now; what workers are told of it is the same object where it is as it was. */
  #follow(plan: EndpointPlan, before: KnownEndpoint | undefined): KnownEndpoint {
    if (before === undefined) {
      const counters = this.#blocks.allocate(ENDPOINT_SLOTS);
      return { plan, told: { ...plan, id: this.#nextEndpointId++, counters } };
    }
    if (isSame(plan, before.plan)) return before;
    const { id, counters } = before.told;
    return { plan, told: { ...plan, id, counters } };
  }
}

/** Whether the plans say the same; most of what they say are numbers and words. */
function isSame(one: EndpointPlan, other: EndpointPlan): boolean {
  if (one === other) return true;
  const keys = Object.keys(one) as (keyof EndpointPlan)[];
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => one[key] === other[key] || isDeepStrictEqual(one[key], other[key]))
  );
}
