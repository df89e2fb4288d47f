// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import { clustersOfRouting } from "../cluster/session-rule.ts";
import type { ClusterPlan, FilterPlan, ListenerPlan, Plan, SignallingPlan } from "../plan.ts";
import type { RouteTablePlan } from "../routes/route-plan.ts";
import type { ServerTlsPlan } from "../tls/tls-plan.ts";
import { Stage } from "../wasm/abi.ts";
import type { RunnableFilter } from "../wasm/index.ts";
import type { ClusterConfig } from "./read-cluster.ts";
import type { FilterStage } from "./read-filter-use.ts";
import type { ListenerConfig } from "./read-listener.ts";
import type { LoadAssignment } from "./read-load-assignment.ts";
import { clustersOf } from "./read-routes.ts";
import type { SignallingConfig } from "./read-signalling.ts";
import type { Accepted } from "./resource.ts";
import type { SecretValue } from "./tls/read-secret.ts";
import type { ServerTlsConfig } from "./tls/read-server-tls.ts";
import { resolveServerTls } from "./tls/resolve-tls.ts";

/** A place in a listener's chain: a filter that is loaded, or one to be discovered under this name. */
export type FilterSlot = { readonly stage: FilterStage } & (
  | { readonly kind: "loaded"; readonly plan: FilterPlan }
  | { readonly kind: "discovered"; readonly name: string; readonly fallback: FilterPlan | undefined }
);

/** Whether a filter said, when it was tried, that it runs at a stage. */
export function runsAt({ stages = Stage.Session }: RunnableFilter, stage: FilterStage): boolean {
  return (stages & (stage === "LISTENER" ? Stage.Listener : Stage.Session)) !== 0;
}

/** A listener whose own filters are loaded. */
export type ListenerValue = DatagramValue | SignallingValue;

/** A UDP listener. */
export interface DatagramValue {
  readonly kind: "udp";
  readonly config: ListenerConfig;
  readonly filters: readonly FilterSlot[];
}

/** A TCP listener. */
export interface SignallingValue {
  readonly kind: "signalling";
  readonly config: SignallingConfig;
  readonly filter: FilterPlan;
  /** It has no filters that are discovered. */
  readonly filters: readonly [];
}

/** The accepted forms of everything, by name. */
export interface AcceptedConfig {
  readonly listeners: readonly Accepted<ListenerValue>[];
  readonly clusters: readonly Accepted<ClusterConfig>[];
  assignment(serviceName: string): LoadAssignment | undefined;
  filter(name: string): FilterPlan | undefined;
  routes(name: string): RouteTablePlan | undefined;
  secret(name: string): SecretValue | undefined;
}

/** A listener in the plan, with the form of its resource that made it. */
export type ActiveListener =
  | { readonly kind: "udp"; readonly resource: Accepted<ListenerValue>; readonly plan: ListenerPlan }
  | {
      readonly kind: "signalling";
      readonly resource: Accepted<ListenerValue>;
      readonly plan: SignallingPlan;
    };

/** What a plan was built to. */
export interface BuiltPlan {
  readonly plan: Plan;
  /** By name, the listeners in the plan. */
  readonly active: ReadonlyMap<string, ActiveListener>;
  /** By name, the listeners whose newest form waits, and for what. */
  readonly warming: ReadonlyMap<string, readonly string[]>;
}

export const emptyPlan: BuiltPlan = {
  plan: { listeners: [], signalling: [], clusters: [] },
  active: new Map(),
  warming: new Map(),
};

/**
 * Puts the accepted resources together to a plan. Pure.
 *
 * A listener enters the plan when its clusters, its routes and all its filters are there; until then its form before stays.
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
  const all = [...active.values()];
  const listeners = all.flatMap((listener) => (listener.kind === "udp" ? [listener.plan] : []));
  const signalling = all.flatMap((listener) => (listener.kind === "signalling" ? [listener.plan] : []));
  const routed = signalling.flatMap(({ routes }) => [...clustersOf(routes)]);
  const used = new Set([...listeners.flatMap(clustersOfRouting), ...routed]);
  const gone = [...known.before.values()].filter(({ name }) => used.has(name) && !known.declared.has(name));
  return {
    plan: { listeners, signalling, clusters: [...known.declared.values(), ...gone] },
    active,
    warming,
  };
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
      endpoints.kind === "eds" ? config.assignment(endpoints.serviceName) : endpoints.assignment;
    const previous = before.get(name);
    if (assignment !== undefined) declared.set(name, planCluster(value, assignment, previous));
    else if (previous !== undefined) declared.set(name, previous);
  }
  return { declared, before };
}

/** The plan of a cluster: that of before, where nothing changed. */
function planCluster(
  {
    name,
    balancing,
    healthChecks,
    outliers,
    drainLingerMs,
    connectTimeoutMs,
    endpoints: found,
  }: ClusterConfig,
  { planned: endpoints, overprovisioningFactor }: LoadAssignment,
  previous: ClusterPlan | undefined,
): ClusterPlan {
  const own = {
    ...{ name, balancing: { ...balancing, overprovisioningFactor }, healthChecks, drainLingerMs },
    ...(found.kind === "dns" ? { dns: found.plan } : {}),
    ...(outliers === undefined ? {} : { outliers }),
    ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
  };
  if (previous?.endpoints !== endpoints) return { ...own, endpoints };
  const { endpoints: _, ...ownBefore } = previous;
  return isDeepStrictEqual(own, ownBefore) ? previous : { ...own, endpoints };
}

interface Resolved {
  readonly listener: ActiveListener | undefined;
  readonly missing: readonly string[];
}

/** Finds what a listener names. `previous` is its place in the plan before, in this same form. */
function resolve(
  resource: Accepted<ListenerValue>,
  previous: ActiveListener | undefined,
  known: Known,
): Resolved {
  return resource.value.kind === "udp"
    ? resolveDatagrams(resource, resource.value, previous, known)
    : resolveSignalling(resource, resource.value, previous, known);
}

function resolveDatagrams(
  resource: Accepted<ListenerValue>,
  value: DatagramValue,
  previous: ActiveListener | undefined,
  { config, declared, before }: Known,
): Resolved {
  const { filters: _, ...own } = value.config;
  const missing = clustersOfRouting(own)
    .filter((name) => !declared.has(name) && !(previous !== undefined && before.has(name)))
    .map((name) => `cluster ${name}`);
  const found = value.filters.map((slot, index) => {
    const known = previous?.kind === "udp" ? allFilters(previous.plan)[index] : undefined;
    const filter = slot.kind === "loaded" ? slot.plan : (discovered(slot, config) ?? slot.fallback ?? known);
    if (filter === undefined && slot.kind === "discovered") {
      const isElsewhere = config.filter(slot.name) !== undefined;
      missing.push(`filter ${slot.name}${isElsewhere ? `, which does not run at ${slot.stage}` : ""}`);
    }
    return { stage: slot.stage, filter };
  });
  if (missing.length > 0) return { listener: undefined, missing };
  const at = (wanted: FilterStage): readonly FilterPlan[] =>
    found.flatMap(({ stage, filter }) => (filter && stage === wanted ? [filter] : []));
  const listenerFilters = at("LISTENER");
  const plan = { ...own, filters: at("SESSION"), ...(listenerFilters.length > 0 && { listenerFilters }) };
  return { listener: { kind: "udp", resource, plan }, missing };
}

/** What came under a name, if it runs where it is wanted: a form of it that does not is as good as none. */
function discovered(
  { name, stage }: FilterSlot & { readonly kind: "discovered" },
  config: AcceptedConfig,
): FilterPlan | undefined {
  const filter = config.filter(name);
  return filter && runsAt(filter, stage) ? filter : undefined;
}

/** In the order of the resource: listener filters stand before the udp_proxy and its session filters. */
function allFilters({ listenerFilters = [], filters }: ListenerPlan): readonly FilterPlan[] {
  return [...listenerFilters, ...filters];
}

/** Clusters that routes name need not be there: requests for them are answered so. */
function resolveSignalling(
  resource: Accepted<ListenerValue>,
  { config: own, filter }: SignallingValue,
  previous: ActiveListener | undefined,
  { config }: Known,
): Resolved {
  const { name, address, statPrefix, options, mediaChain, maxConnections, isRelay } = own;
  const before = previous?.kind === "signalling" ? previous.plan : undefined;
  const routes =
    own.routes.kind === "inline" ? own.routes.table : (config.routes(own.routes.name) ?? before?.routes);
  const missing = routes === undefined && own.routes.kind === "rds" ? [`routes ${own.routes.name}`] : [];
  const tls = own.tls && resolveTls(own.tls, before?.tls, config);
  if (tls !== undefined && "missing" in tls) missing.push(...tls.missing);
  if (routes === undefined || missing.length > 0) return { listener: undefined, missing };
  const plan = {
    ...{ name, address, statPrefix, filter, routes, options, mediaChain, maxConnections },
    ...(isRelay === true ? { isRelay } : {}),
    ...(tls !== undefined && "plan" in tls ? { tls: tls.plan } : {}),
  };
  return { listener: { kind: "signalling", resource, plan }, missing: [] };
}

/** A secret that went leaves TLS as it was. */
function resolveTls(own: ServerTlsConfig, before: ServerTlsPlan | undefined, config: AcceptedConfig) {
  const resolved = resolveServerTls(own, config.secret);
  if ("missing" in resolved) return before === undefined ? resolved : { plan: before };
  return isDeepStrictEqual(resolved.plan, before) ? { plan: before! } : resolved;
}

/** The listener as it was in the plan before, where it is the same still. */
function reuse(previous: ActiveListener | undefined, next: ActiveListener): ActiveListener {
  if (previous?.resource.value !== next.resource.value) return next;
  return isSamePlan(previous, next) ? { ...previous, resource: next.resource } : next;
}

function isSamePlan(previous: ActiveListener, next: ActiveListener): boolean {
  if (previous.kind === "signalling") {
    const { routes, tls } = previous.plan;
    return next.kind === "signalling" && routes === next.plan.routes && tls === next.plan.tls;
  }
  if (next.kind === "signalling") return false;
  const [before, after] = [allFilters(previous.plan), allFilters(next.plan)];
  return before.length === after.length && before.every((filter, i) => filter === after[i]);
}
