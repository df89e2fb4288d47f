// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { BalancingPlan } from "./balancing-plan.ts";
import { type BalancedEndpoint, type Balancer, LoadBalancer } from "./load-balancer.ts";
import type { PickerWorld } from "./picker.ts";
import {
  keyNames,
  type LbMetadata,
  type SubsetFallback,
  type SubsetMatch,
  type SubsetPlan,
  valuesOf,
} from "./subset-plan.ts";

/** Endpoints of a cluster by their index, and who chooses among them once somebody asked. */
interface Subset {
  readonly members: Int32Array;
  balancer: LoadBalancer | undefined;
}

/**
 * Chooses among the endpoints of a subset, as Envoy's subset load balancer does: each subset has priorities, health
 * and policy of its own. Only subsets for which a route asks cost memory.
 */
export class SubsetBalancer implements Balancer {
  readonly #plan: BalancingPlan;
  readonly #endpoints: readonly BalancedEndpoint[];
  readonly #world: PickerWorld;
  /** By the values of their keys. */
  readonly #subsets = new Map<string, Subset>();
  /** By the names of the selectors' keys. */
  readonly #fallbacks = new Map<string, Subset | undefined>();
  readonly #fallback: Subset | undefined;

  constructor(
    plan: BalancingPlan,
    subsets: SubsetPlan,
    endpoints: readonly BalancedEndpoint[],
    world: PickerWorld,
  ) {
    this.#plan = plan;
    this.#endpoints = endpoints;
    this.#world = world;
    for (const { keys } of subsets.selectors) this.#divide(keys);
    const fallbacks: Readonly<Record<SubsetFallback, Subset | undefined>> = {
      NO_FALLBACK: undefined,
      ANY_ENDPOINT: this.#subsetOf(() => true),
      DEFAULT_SUBSET: this.#subsetOf((metadata) => hasAll(metadata, subsets.defaultSubset)),
    };
    this.#fallback = fallbacks[subsets.fallback];
    for (const { keys, fallback } of subsets.selectors) {
      this.#fallbacks.set(keyNames(keys), fallbacks[fallback ?? subsets.fallback]);
    }
  }

  /** Index of an endpoint for a new session, or -1 where none may have it. */
  pick(high: number, low: number, match?: SubsetMatch): number {
    const subset = this.#find(match);
    if (subset === undefined) return -1;
    subset.balancer ??= this.#balancerOf(subset);
    const picked = subset.balancer.pick(high, low);
    return picked < 0 ? -1 : subset.members[picked]!;
  }

  #find(match: SubsetMatch | undefined): Subset | undefined {
    if (match === undefined) return this.#fallback;
    const found = this.#subsets.get(match.values);
    if (found !== undefined) return found;
    return this.#fallbacks.has(match.keys) ? this.#fallbacks.get(match.keys) : this.#fallback;
  }

  /** Sorts the endpoints that have all of the keys into subsets. */
  #divide(keys: readonly string[]): void {
    const groups = new Map<string, number[]>();
    for (const [index, { metadata = {} }] of this.#endpoints.entries()) {
      if (!keys.every((key) => Object.hasOwn(metadata, key))) continue;
      const values = valuesOf(keys, metadata);
      const group = groups.get(values);
      if (group === undefined) groups.set(values, [index]);
      else group.push(index);
    }
    for (const [values, members] of groups) {
      this.#subsets.set(values, { members: Int32Array.from(members), balancer: undefined });
    }
  }

  #subsetOf(isMember: (metadata: LbMetadata) => boolean): Subset {
    const members = this.#endpoints.flatMap(({ metadata = {} }, index) =>
      isMember(metadata) ? [index] : [],
    );
    return { members: Int32Array.from(members), balancer: undefined };
  }

  #balancerOf({ members }: Subset): LoadBalancer {
    const endpoints = Array.from(members, (index) => this.#endpoints[index]!);
    return new LoadBalancer(this.#plan, endpoints, this.#world);
  }
}

function hasAll(metadata: LbMetadata, wanted: LbMetadata): boolean {
  return Object.entries(wanted).every(
    ([key, value]) => Object.hasOwn(metadata, key) && metadata[key] === value,
  );
}
