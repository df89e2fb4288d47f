// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { CounterBlocks } from "../datapath/counter-blocks.ts";
import { CLUSTER_SLOTS, ENDPOINT_SLOTS } from "../datapath/counters.ts";
import { formatSocketAddress } from "../datapath/sockaddr.ts";
import type { ClusterPlan, EndpointPlan } from "../plan.ts";
import type { WorkerCluster, WorkerEndpoint } from "./protocol.ts";

interface Entry {
  readonly plan: ClusterPlan;
  readonly told: WorkerCluster;
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
   * Follows the plan. Returns what workers have to be told, and `release`, which gives back the counters of what is
   * gone; to be called when every worker was told.
   */
  update(plans: readonly ClusterPlan[]): {
    readonly changed: readonly WorkerCluster[];
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

  #set(plan: ClusterPlan, gone: (() => void)[]): WorkerCluster {
    const old = this.#entries.get(plan.name)?.told;
    const known = new Map(old?.endpoints.map((endpoint) => [formatSocketAddress(endpoint), endpoint]));
    const endpoints = plan.endpoints.map((endpoint) => {
      const key = formatSocketAddress(endpoint);
      const kept = known.get(key);
      known.delete(key);
      if (kept === undefined) return this.#newEndpoint(endpoint);
      return { ...endpoint, id: kept.id, counters: kept.counters };
    });
    for (const endpoint of known.values())
      gone.push(() => this.#blocks.free(endpoint.counters, ENDPOINT_SLOTS));
    const told = {
      name: plan.name,
      counters: old?.counters ?? this.#blocks.allocate(CLUSTER_SLOTS),
      endpoints,
      ...(plan.balancing === undefined ? {} : { balancing: plan.balancing }),
    };
    this.#entries.set(plan.name, { plan, told });
    return told;
  }

  #newEndpoint(endpoint: EndpointPlan): WorkerEndpoint {
    return { ...endpoint, id: this.#nextEndpointId++, counters: this.#blocks.allocate(ENDPOINT_SLOTS) };
  }
}
