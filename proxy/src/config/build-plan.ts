// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import type { ClusterPlan, FilterPlan, ListenerPlan, Plan } from "../plan.ts";
import type { ClusterConfig } from "./read-cluster.ts";
import type { ListenerConfig } from "./read-listener.ts";
import type { LoadAssignment } from "./read-load-assignment.ts";
import type { Accepted } from "./resource.ts";

/** A place in a listener's chain: a filter that is loaded, or one to be discovered under this name. */
export type FilterSlot =
  | { readonly kind: "loaded"; readonly plan: FilterPlan }
  | { readonly kind: "discovered"; readonly name: string; readonly fallback: FilterPlan | undefined };

/** A listener whose own filters are loaded. */
export interface ListenerValue {
  readonly config: ListenerConfig;
  readonly filters: readonly FilterSlot[];
}

/** The accepted forms of everything, by name. */
export interface AcceptedConfig {
  readonly listeners: readonly Accepted<ListenerValue>[];
  readonly clusters: readonly Accepted<ClusterConfig>[];
  assignment(serviceName: string): LoadAssignment | undefined;
  filter(name: string): FilterPlan | undefined;
}

/** A listener in the plan, with the form of its resource that made it. */
export interface ActiveListener {
  readonly resource: Accepted<ListenerValue>;
  readonly plan: ListenerPlan;
}

/** What a plan was built to. */
export interface BuiltPlan {
  readonly plan: Plan;
  /** By name, the listeners in the plan. */
  readonly active: ReadonlyMap<string, ActiveListener>;
  /** By name, the listeners whose newest form waits, and for what. */
  readonly warming: ReadonlyMap<string, readonly string[]>;
}

export const emptyPlan: BuiltPlan = {
  plan: { listeners: [], clusters: [] },
  active: new Map(),
  warming: new Map(),
};

/**
 * Puts the accepted resources together to a plan. Pure.
 *
 * A listener enters the plan when its cluster and all its filters are there; until then its form before stays.
 * What was there and went is kept for a listener that still names it, until the listener changes: a removal in
 * the wrong order must not stop media. Objects of the plan before are used again where nothing changed.
 */
export function buildPlan(config: AcceptedConfig, before: BuiltPlan): BuiltPlan {
  const known: Known = { config, ...findClusters(config, before) };
  const active = new Map<string, ActiveListener>();
  const warming = new Map<string, readonly string[]>();
  for (const resource of config.listeners) {
    const previous = before.active.get(resource.name);
    const wanted = resolve(resource, previous?.resource === resource ? previous : undefined, known);
    if (wanted.missing.length > 0) warming.set(resource.name, wanted.missing);
    // The older form goes on, with whatever is newer of its filters.
    const listener = wanted.listener ?? (previous && resolve(previous.resource, previous, known).listener);
    if (listener !== undefined) active.set(resource.name, reuse(previous, listener));
  }
  const listeners = [...active.values()].map(({ plan }) => plan);
  const used = new Set(listeners.map(({ cluster }) => cluster));
  const gone = [...known.before.values()].filter(({ name }) => used.has(name) && !known.declared.has(name));
  return { plan: { listeners, clusters: [...known.declared.values(), ...gone] }, active, warming };
}

/** What listeners may refer to. */
interface Known {
  readonly config: AcceptedConfig;
  /** The clusters of the configuration that have their endpoints, be they those of an older form. */
  readonly declared: ReadonlyMap<string, ClusterPlan>;
  /** The clusters of the plan before, gone or not. */
  readonly before: ReadonlyMap<string, ClusterPlan>;
}

function findClusters(config: AcceptedConfig, { plan }: BuiltPlan): Omit<Known, "config"> {
  const before = new Map(plan.clusters.map((cluster) => [cluster.name, cluster]));
  const declared = new Map<string, ClusterPlan>();
  for (const { name, value } of config.clusters) {
    const { endpoints } = value;
    const assignment =
      endpoints.kind === "static" ? endpoints.assignment : config.assignment(endpoints.serviceName);
    const previous = before.get(name);
    if (assignment !== undefined) declared.set(name, planCluster(value, assignment, previous));
    else if (previous !== undefined) declared.set(name, previous);
  }
  return { declared, before };
}

/** The plan of a cluster: that of before, where nothing changed. */
function planCluster(
  { name, balancing, healthChecks, outliers, drainLingerMs }: ClusterConfig,
  { planned: endpoints, overprovisioningFactor }: LoadAssignment,
  previous: ClusterPlan | undefined,
): ClusterPlan {
  const own = {
    ...{ name, balancing: { ...balancing, overprovisioningFactor }, healthChecks, drainLingerMs },
    ...(outliers === undefined ? {} : { outliers }),
  };
  if (previous?.endpoints !== endpoints) return { ...own, endpoints };
  const { endpoints: _, ...ownBefore } = previous;
  return isDeepStrictEqual(own, ownBefore) ? previous : { ...own, endpoints };
}

/** Finds a listener's cluster and filters. `previous` is its place in the plan before, in this same form. */
function resolve(
  resource: Accepted<ListenerValue>,
  previous: ActiveListener | undefined,
  { config, declared, before }: Known,
): { readonly listener: ActiveListener | undefined; readonly missing: readonly string[] } {
  const { filters: _, ...own } = resource.value.config;
  const hasCluster = declared.has(own.cluster) || (previous !== undefined && before.has(own.cluster));
  const missing = hasCluster ? [] : [`cluster ${own.cluster}`];
  const filters: FilterPlan[] = [];
  resource.value.filters.forEach((slot, index) => {
    const filter =
      slot.kind === "loaded"
        ? slot.plan
        : (config.filter(slot.name) ?? slot.fallback ?? previous?.plan.filters[index]);
    if (filter !== undefined) filters.push(filter);
    else if (slot.kind === "discovered") missing.push(`filter ${slot.name}`);
  });
  if (missing.length > 0) return { listener: undefined, missing };
  return { listener: { resource, plan: { ...own, filters } }, missing };
}

/** The listener as it was in the plan before, where it is the same still. */
function reuse(previous: ActiveListener | undefined, next: ActiveListener): ActiveListener {
  if (previous?.resource.value !== next.resource.value) return next;
  const { filters } = previous.plan;
  const isSame =
    filters.length === next.plan.filters.length && filters.every((f, i) => f === next.plan.filters[i]);
  return isSame ? { resource: next.resource, plan: previous.plan } : next;
}
