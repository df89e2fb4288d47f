// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { defaultBalancing } from "../cluster/balancing-plan.ts";
import { createBalancer } from "../cluster/create-balancer.ts";
import type { BalancedEndpoint, Balancer, EndpointHealth } from "../cluster/load-balancer.ts";
import { LoadMeter } from "../cluster/load-meter.ts";
import type { PickerWorld } from "../cluster/picker.ts";
import { sessionHash } from "../cluster/session-hash.ts";
import type { SubsetMatch } from "../cluster/subset-plan.ts";
import type { Hash64 } from "../cluster/xx-hash64.ts";
import type { HashPolicy } from "../plan.ts";
import type { WorkerClusterChange, WorkerEndpoint } from "../worker/protocol.ts";
import { ClusterSlot, type CounterPage, EndpointSlot } from "./counters.ts";
import { monotonicMs } from "./monotonic-clock.ts";
import type { SessionEndpoint } from "./session-table.ts";
import { formatSocketAddress, readSockaddr, SOCKADDR_BYTES, writeSockaddr } from "./sockaddr.ts";

/** An endpoint as sessions use it. */
export type KnownEndpoint = SessionEndpoint;

interface Entry {
  readonly known: KnownEndpoint;
  readonly owner: Owner;
  readonly balanced: BalancedEndpoint;
}

/** The cluster as its endpoints see it. */
interface Owner {
  readonly name: string;
  /** It has endpoints that are well. */
  hasBetter: boolean;
}

interface KnownCluster {
  readonly owner: Owner;
  readonly counters: number;
  readonly entries: readonly Entry[];
  readonly balancer: Balancer;
  readonly maxSessions: number;
  readonly maxSessionsPerEndpoint: number;
  readonly maxPending: number;
}

/** The clusters that a worker knows, and every endpoint by its number. */
export class EndpointDirectory {
  readonly #clusters = new Map<string, KnownCluster>();
  readonly #endpoints = new Map<number, Entry>();
  /** The counters of every worker: a session counts wherever it is. */
  readonly #pages: readonly CounterPage[];
  readonly #world: PickerWorld;
  readonly #hash: Hash64 = { high: 0, low: 0 };

  /** Workers start their round robin at different endpoints, so that a few sessions spread, too. */
  constructor(
    start: number,
    pages: readonly CounterPage[] = [],
    world: Pick<PickerWorld, "random" | "nowMs"> = { random: Math.random, nowMs: monotonicMs },
  ) {
    this.#pages = pages;
    const activeSessions = (counters: number) => this.#total(counters + EndpointSlot.sessionsActive);
    const bytes = (counters: number) => this.#total(counters + EndpointSlot.bytes);
    this.#world = { ...world, start, activeSessions, bytes };
  }

  /**
   * Takes over clusters that are new or changed, `onCluster` after each, and forgets those removed. Throws where a
   * number stands for an endpoint that it does not know.
   */
  update(
    clusters: readonly WorkerClusterChange[],
    removed: readonly string[],
    onCluster: () => void = () => {},
  ): void {
    for (const cluster of clusters) {
      this.#set(cluster);
      onCluster();
    }
    for (const name of removed) {
      for (const { known } of this.#clusters.get(name)?.entries ?? []) this.#endpoints.delete(known.id);
      this.#clusters.delete(name);
    }
  }

  #set({ name, counters, endpoints, balancing = defaultBalancing }: WorkerClusterChange): void {
    const nowMs = this.#world.nowMs();
    const old = this.#clusters.get(name);
    const owner = old?.owner ?? { name, hasBetter: false };
    const { policy } = balancing;
    const isMetered = policy.kind === "LEAST_REQUEST" && policy.leastBy === "bits_per_second";
    const entries = endpoints.map((endpoint): Entry => {
      if (typeof endpoint === "number") {
        const kept = this.#kept(endpoint);
        return isMetered ? this.#metered(kept, kept, nowMs) : kept;
      }
      const before = this.#endpoints.get(endpoint.id);
      const entry = { ...toEntry(endpoint, counters, before, nowMs), owner };
      return isMetered ? this.#metered(entry, before, nowMs) : entry;
    });
    owner.hasBetter = entries.some(({ balanced }) => isWell(balanced.health));
    const present = new Set(entries);
    for (const entry of old?.entries ?? []) {
      if (!present.has(entry)) this.#endpoints.delete(entry.known.id);
    }
    for (const entry of entries) this.#endpoints.set(entry.known.id, entry);
    const balanced = entries.map((entry) => entry.balanced);
    const balancer = createBalancer(balancing, balanced, this.#world);
    const { maxSessions, maxSessionsPerEndpoint, maxPending } = balancing;
    const limits = { maxSessions, maxSessionsPerEndpoint, maxPending };
    this.#clusters.set(name, { owner, counters, entries, balancer, ...limits });
  }

  #kept(id: number): Entry {
    const entry = this.#endpoints.get(id);
    if (entry === undefined) throw new Error(`endpoint ${id} is not known here`);
    return entry;
  }

  /** The endpoint of a cluster with this address, `ip:port`, where sessions may be; undefined where there is none. */
  named(cluster: string, address: string): KnownEndpoint | undefined {
    const entries = this.#clusters.get(cluster)?.entries ?? [];
    const isMeant = ({ known }: Entry): boolean =>
      formatSocketAddress(readSockaddr(known.sockaddr, 0)) === address && this.keeps(known.id);
    return entries.find(isMeant)?.known;
  }

  /** The endpoint of this number; undefined once it is in no cluster any more. */
  endpoint(id: number): KnownEndpoint | undefined {
    return this.#endpoints.get(id)?.known;
  }

  /** The cluster of the endpoint of this number. */
  clusterOf(id: number): string | undefined {
    return this.#endpoints.get(id)?.owner.name;
  }

  /**
   * Whether sessions may stay at the endpoint of this number: it is there, and well, or draining, or lingering, or
   * there is none that is better.
   */
  keeps(id: number): boolean {
    const entry = this.#endpoints.get(id);
    return entry !== undefined && !(entry.balanced.health === "UNHEALTHY" && entry.owner.hasBetter);
  }

  has(cluster: string): boolean {
    return this.#clusters.has(cluster);
  }

  /** First slot of a cluster's counters, or -1 where it is not known. */
  counters(cluster: string): number {
    return this.#clusters.get(cluster)?.counters ?? -1;
  }

  /** Whether the cluster, or some endpoint of it, has as many sessions, over all workers, as circuit breakers let it have. */
  isFull(cluster: string): boolean {
    const known = this.#clusters.get(cluster);
    if (known === undefined) return false;
    return this.#isOver(known) || known.entries.some((entry) => this.#isEntryFull(known, entry));
  }

  /** Whether as many connections to the cluster are being made, over all workers, as its circuit breaker allows. */
  isPendingFull(cluster: string): boolean {
    const known = this.#clusters.get(cluster);
    if (known === undefined || known.maxPending === Number.POSITIVE_INFINITY) return false;
    return this.#total(known.counters + ClusterSlot.pendingActive) >= known.maxPending;
  }

  /**
   * The endpoint for a new session, by the policy of the cluster, in a subset where the route asks for one; `text` is
   * what is hashed, such as the client's address; undefined where the cluster is unknown, full, or without an endpoint that takes sessions.
   */
  pick(cluster: string, policy?: HashPolicy, text = "", subset?: SubsetMatch): KnownEndpoint | undefined {
    const known = this.#clusters.get(cluster);
    if (known === undefined || this.#isOver(known)) return undefined;
    sessionHash(policy, text, this.#world.random, this.#hash);
    const picked = known.balancer.pick(this.#hash.high, this.#hash.low, subset);
    const entry = known.entries[picked];
    // As in Envoy, nobody else is chosen: the client's next datagram is another try.
    return entry === undefined || this.#isEntryFull(known, entry) ? undefined : entry.known;
  }

  /** The entry with a meter: that from before, where there was one. */
  #metered(entry: Entry, before: Entry | undefined, nowMs: number): Entry {
    if (entry.balanced.meter !== undefined) return entry;
    const { bytes, activeSessions } = this.#world;
    const { counters } = entry.known;
    const load = { bytes: bytes(counters), sessions: activeSessions(counters) };
    const meter = before?.balanced.meter ?? new LoadMeter(load, nowMs);
    return { ...entry, balanced: { ...entry.balanced, meter } };
  }

  #isOver({ counters, maxSessions }: KnownCluster): boolean {
    if (maxSessions === Number.POSITIVE_INFINITY) return false;
    return this.#total(counters + ClusterSlot.sessionsActive) >= maxSessions;
  }

  #isEntryFull({ maxSessionsPerEndpoint }: KnownCluster, { known }: Entry): boolean {
    if (maxSessionsPerEndpoint === Number.POSITIVE_INFINITY) return false;
    return this.#total(known.counters + EndpointSlot.sessionsActive) >= maxSessionsPerEndpoint;
  }

  #total(slot: number): number {
    let total = 0;
    for (const page of this.#pages) total += page[slot]!;
    return total;
  }
}

function toEntry(
  endpoint: WorkerEndpoint,
  clusterCounters: number,
  before: Entry | undefined,
  nowMs: number,
): Omit<Entry, "owner"> {
  const { id, counters, health = "HEALTHY", weight = 1, priority = 0 } = endpoint;
  const { locality = 0, localityWeight = 1, metadata } = endpoint;
  const sockaddr = new Uint8Array(SOCKADDR_BYTES);
  const sockaddrLength = writeSockaddr(sockaddr, 0, endpoint);
  const wasWell = before !== undefined && isWell(before.balanced.health);
  const balanced = {
    ...{ key: formatSocketAddress(endpoint), health, weight, priority, locality, localityWeight, counters },
    ...(metadata === undefined ? {} : { metadata }),
    sinceMs: wasWell ? before.balanced.sinceMs : nowMs,
  };
  return { known: { id, sockaddr, sockaddrLength, counters, clusterCounters }, balanced };
}

/** Whether slow start goes on: one that was not well starts anew. */
function isWell(health: EndpointHealth): boolean {
  return health === "HEALTHY" || health === "DEGRADED";
}
