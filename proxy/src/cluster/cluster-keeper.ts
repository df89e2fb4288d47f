// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { ClusterPlan, EndpointPlan, Plan, PlanRejection } from "../plan.ts";
import type { Sample } from "../stats/sample.ts";
import { DnsDiscovery } from "./discovery/dns-discovery.ts";
import type { Lookup } from "./discovery/lookup-name.ts";
import type { CheckWorld } from "./endpoint-check.ts";
import type { HealthChecker } from "./health-checker.ts";
import { type CheckedHealth, HealthChecks } from "./health-checks.ts";
import { endpointKey, Lingering } from "./lingering.ts";
import type { OutlierRates } from "./outlier-rates.ts";
import { type OutlierSources, Outliers } from "./outliers.ts";

/** Time and chance, as they are passed in. */
export type KeeperWorld = CheckWorld & { readonly nowMs: () => number };

/** What a keeper needs of the world. */
export interface ClusterKeeperOptions extends OutlierSources {
  /** Makes the datapath follow a plan. */
  readonly apply: (plan: Plan) => Promise<readonly PlanRejection[]>;
  readonly checkers: ReadonlyMap<string, HealthChecker>;
  readonly lookup: Lookup;
  readonly world: KeeperWorld;
}

/**
 * Stands between configuration and datapath on the main thread: it looks up the endpoints that the configuration
 * names, adds to what it says of endpoints what checks say, and keeps endpoints that were taken out as long as they linger. Whenever that changes, the
 * datapath gets a new plan; what did not change is the same object in it.
 */
export class ClusterKeeper {
  readonly #options: ClusterKeeperOptions;
  readonly #names: DnsDiscovery;
  readonly #checks: HealthChecks;
  readonly #outliers: Outliers;
  readonly #lingering = new Lingering();
  /** The clusters as the datapath got them last, with what they were made from. */
  readonly #made = new Map<
    string,
    { readonly from: ClusterPlan; readonly overlay: string; readonly plan: ClusterPlan }
  >();
  readonly #stop = new AbortController();
  #intent: Plan = { listeners: [], clusters: [] };
  /** The clusters of the intent with the endpoints that their names have. */
  #clusters: readonly ClusterPlan[] = [];
  #wakeMs = Number.POSITIVE_INFINITY;

  constructor(options: ClusterKeeperOptions) {
    this.#options = options;
    const { lookup, world } = options;
    this.#names = new DnsDiscovery({ lookup, world, onChange: () => void this.#follow() });
    this.#outliers = new Outliers(options, options.world, () => void this.#push());
    this.#checks = new HealthChecks(options.checkers, options.world, () => void this.#push());
  }

  /** Takes over what the configuration says; resolves when the datapath has it. */
  apply(plan: Plan): Promise<readonly PlanRejection[]> {
    this.#intent = plan;
    this.#names.follow(plan.clusters);
    return this.#follow();
  }

  /** What active checks say of an endpoint; undefined where it is not checked. */
  checkedHealth(cluster: string, endpoint: EndpointPlan): CheckedHealth | undefined {
    return this.#checks.healthOf(cluster, endpoint);
  }

  /** The success rates of a cluster's endpoints; undefined where nobody looks. */
  rates(cluster: string): OutlierRates | undefined {
    return this.#outliers.detector(cluster)?.rates;
  }

  /** Statistics of what it does by itself. */
  samples(): readonly Sample[] {
    return [...this.#names.samples(), ...this.#outliers.samples()];
  }

  /** Ends lookups, checks and timers. */
  close(): void {
    this.#stop.abort();
    this.#names.stop();
    this.#checks.stop();
    this.#outliers.stop();
  }

  /** Takes over which endpoints there are. */
  #follow(): Promise<readonly PlanRejection[]> {
    const nowMs = this.#options.world.nowMs();
    const before = this.#clusters;
    this.#clusters = this.#intent.clusters.map((cluster) => this.#names.resolve(cluster));
    const after = new Map(this.#clusters.map((cluster) => [cluster.name, cluster]));
    for (const cluster of before) {
      if (after.get(cluster.name) !== cluster) this.#lingering.note(cluster, after.get(cluster.name), nowMs);
    }
    this.#checks.follow(this.#clusters);
    this.#outliers.follow(this.#clusters);
    return this.#push();
  }

  #push(): Promise<readonly PlanRejection[]> {
    this.#wakeAt(this.#lingering.expire(this.#options.world.nowMs()));
    const clusters = this.#clusters.map((cluster) => this.#make(cluster));
    const names = new Set(clusters.map(({ name }) => name));
    // A cluster that is gone stays without endpoints for new sessions, as long as old ones may stay.
    const gone = this.#lingering.clusters().filter((name) => !names.has(name));
    const lingering = gone.map((name) => this.#make({ ...this.#made.get(name)!.from, endpoints: [] }));
    const all = [...clusters, ...lingering];
    const kept = new Set(all.map(({ name }) => name));
    for (const name of this.#made.keys()) if (!kept.has(name)) this.#made.delete(name);
    return this.#options.apply({ ...this.#intent, clusters: all });
  }

  /** The cluster with health and lingering endpoints; as it was made last, where nothing changed. */
  #make(from: ClusterPlan): ClusterPlan {
    const lingering = this.#lingering.of(from.name);
    // Most clusters: with 100,000 endpoints it counts that nothing is looked at one by one.
    if (lingering.length === 0 && !isWatched(from)) {
      this.#made.set(from.name, { from, overlay: "", plan: from });
      return from;
    }
    const endpoints = from.endpoints.map((endpoint) => this.#withHealth(from.name, endpoint));
    const overlay = [...endpoints, ...lingering]
      .map((endpoint) => `${endpointKey(endpoint)} ${endpoint.health} ${endpoint.failed}`)
      .join("\n");
    const known = this.#made.get(from.name);
    const isPlain =
      lingering.length === 0 && endpoints.every((endpoint, at) => endpoint === from.endpoints[at]);
    if (known?.overlay === overlay && (known.from === from || isGoneOf(known.from, from))) return known.plan;
    const plan = isPlain ? from : { ...from, endpoints: [...endpoints, ...lingering] };
    this.#made.set(from.name, { from, overlay, plan });
    return plan;
  }

  /** Checks and errors can only make an endpoint worse than EDS says. */
  #withHealth(cluster: string, endpoint: EndpointPlan): EndpointPlan {
    const { health = "HEALTHY" } = endpoint;
    if (health !== "HEALTHY" && health !== "DEGRADED") return endpoint;
    const failed = this.#failureOf(cluster, endpoint);
    return failed === undefined ? endpoint : { ...endpoint, health: "UNHEALTHY", failed };
  }

  #failureOf(cluster: string, endpoint: EndpointPlan): EndpointPlan["failed"] {
    if (this.#outliers.isEjected(cluster, endpoint)) return "OUTLIER";
    return this.#checks.healthOf(cluster, endpoint)?.isHealthy === false ? "ACTIVE_CHECK" : undefined;
  }

  /** One timer at a time: an earlier time makes another, a later one is looked up when the timer fires. */
  #wakeAt(atMs: number | undefined): void {
    if (atMs === undefined || atMs >= this.#wakeMs) return;
    const { world } = this.#options;
    this.#wakeMs = atMs;
    void world.sleep(atMs - world.nowMs(), this.#stop.signal).then(() => {
      if (this.#stop.signal.aborted || this.#wakeMs !== atMs) return;
      this.#wakeMs = Number.POSITIVE_INFINITY;
      return this.#push();
    });
  }
}

/** Whether anything but the configuration has a say in the health of the cluster's endpoints. */
function isWatched({ healthChecks = [], outliers }: ClusterPlan): boolean {
  return healthChecks.length > 0 || outliers !== undefined;
}

/** Whether both are the same cluster that is gone: without endpoints of its own. */
function isGoneOf(known: ClusterPlan, from: ClusterPlan): boolean {
  return known.endpoints.length === 0 && from.endpoints.length === 0 && known.balancing === from.balancing;
}
