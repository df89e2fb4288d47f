// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import type { ClusterPlan, EndpointPlan } from "../../plan.ts";
import type { Sample } from "../../stats/sample.ts";
import { endpointKey } from "../lingering.ts";
import { lookupSamples } from "./lookup-samples.ts";
import { type LookupCounts, NameWatch, type NameWatchOptions } from "./name-watch.ts";

type Check = NonNullable<EndpointPlan["check"]>;

interface NamedCluster {
  readonly watches: Map<string, NameWatch>;
  /** Counts of watches that ended: counters never fall. */
  readonly ended: LookupCounts;
  /** What was made last, from what. */
  made: { readonly from: ClusterPlan; readonly key: string; readonly plan: ClusterPlan } | undefined;
}

/** Finds the endpoints of clusters that name them. */
export class DnsDiscovery {
  readonly #options: NameWatchOptions;
  readonly #clusters = new Map<string, NamedCluster>();

  constructor(options: NameWatchOptions) {
    this.#options = options;
  }

  /** Watches the names of the plan and no others. A name that stays keeps its addresses, however it is looked up. */
  follow(plans: readonly ClusterPlan[]): void {
    const wanted = new Map(plans.flatMap((plan) => (plan.dns === undefined ? [] : [[plan.name, plan.dns]])));
    for (const [name, { watches }] of this.#clusters) {
      if (wanted.has(name)) continue;
      for (const watch of watches.values()) watch.stop();
      this.#clusters.delete(name);
    }
    for (const [cluster, { endpoints, ...settings }] of wanted) {
      const known = this.#clusters.get(cluster) ?? newCluster();
      this.#clusters.set(cluster, known);
      const names = new Set(endpoints.map(({ address }) => address));
      for (const [name, watch] of known.watches) if (!names.has(name)) end(known, name, watch);
      for (const name of names) {
        const watch = known.watches.get(name);
        if (watch !== undefined && isDeepStrictEqual(watch.settings, settings)) continue;
        if (watch !== undefined) end(known, name, watch);
        known.watches.set(name, new NameWatch(name, settings, watch?.addresses ?? [], this.#options));
      }
    }
  }

  /** The cluster with the endpoints that its names have now: the same object as last time where nothing changed. */
  resolve(cluster: ClusterPlan): ClusterPlan {
    const known = this.#clusters.get(cluster.name);
    if (cluster.dns === undefined || known === undefined) return cluster;
    const endpoints = new Map<string, EndpointPlan>();
    for (const named of cluster.dns.endpoints) {
      for (const address of known.watches.get(named.address)?.addresses ?? []) {
        const check =
          named.check === undefined ? {} : { check: checkAt(named.address, named.check, address) };
        const endpoint = { ...named, address, hostname: named.address, ...check };
        // Two names may have one address: it counts once, as in Envoy.
        if (!endpoints.has(endpointKey(endpoint))) endpoints.set(endpointKey(endpoint), endpoint);
      }
    }
    const key = [...endpoints.keys()].join("\n");
    const made = known.made;
    if (made?.from === cluster && made.key === key) return made.plan;
    const plan = { ...cluster, endpoints: [...endpoints.values()] };
    known.made = { from: cluster, key, plan };
    return plan;
  }

  /** Lookups of each cluster, by Envoy's names. */
  samples(): readonly Sample[] {
    return [...this.#clusters].flatMap(([name, { watches, ended }]) =>
      lookupSamples(name, [ended, ...[...watches.values()].map(({ counts }) => counts)]),
    );
  }

  stop(): void {
    this.follow([]);
  }
}

function newCluster(): NamedCluster {
  return {
    watches: new Map(),
    ended: { attempt: 0, success: 0, empty: 0, failure: 0 },
    made: undefined,
  };
}

function end({ watches, ended }: NamedCluster, name: string, watch: NameWatch): void {
  watch.stop();
  watches.delete(name);
  for (const key of Object.keys(ended) as (keyof LookupCounts)[]) ended[key] += watch.counts[key];
}

/** Where a named endpoint is checked: at the address that was found, unless it says another. */
function checkAt(name: string, check: Check, address: string): Check {
  return check.address === name ? { ...check, address } : check;
}
