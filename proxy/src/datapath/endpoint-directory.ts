// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { defaultBalancing } from "../cluster/balancing-plan.ts";
import { type BalancedEndpoint, type EndpointHealth, LoadBalancer } from "../cluster/load-balancer.ts";
import type { PickerWorld } from "../cluster/picker.ts";
import { sessionHash } from "../cluster/session-hash.ts";
import type { Hash64 } from "../cluster/xx-hash64.ts";
import type { HashPolicy } from "../plan.ts";
import type { WorkerCluster, WorkerEndpoint } from "../worker/protocol.ts";
import { ClusterSlot, type CounterPage, EndpointSlot } from "./counters.ts";
import { monotonicMs } from "./monotonic-clock.ts";
import type { SessionEndpoint } from "./session-table.ts";
import { formatSocketAddress, readSockaddr, SOCKADDR_BYTES, writeSockaddr } from "./sockaddr.ts";

/** An endpoint as sessions use it. */
export type KnownEndpoint = SessionEndpoint;

interface Entry {
  readonly known: KnownEndpoint;
  readonly cluster: string;
  readonly balanced: BalancedEndpoint;
  /** Its cluster has endpoints that are well. */
  readonly hasBetter: boolean;
}

interface KnownCluster {
  readonly counters: number;
  readonly entries: readonly Entry[];
  readonly balancer: LoadBalancer;
  readonly maxSessions: number;
  readonly maxSessionsPerEndpoint: number;
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
    this.#world = { ...world, start, activeSessions };
  }

  /** Takes over clusters that are new or changed, `onCluster` after each, and forgets those removed. */
  update(
    clusters: readonly WorkerCluster[],
    removed: readonly string[],
    onCluster: () => void = () => {},
  ): void {
    const nowMs = this.#world.nowMs();
    for (const { name, counters, endpoints, balancing = defaultBalancing } of clusters) {
      const hasBetter = endpoints.some(({ health = "HEALTHY" }) => isWell(health));
      const entries = endpoints.map((endpoint) => ({
        ...toEntry(endpoint, counters, this.#endpoints.get(endpoint.id), nowMs),
        cluster: name,
        hasBetter,
      }));
      this.#forget(this.#clusters.get(name));
      for (const entry of entries) this.#endpoints.set(entry.known.id, entry);
      const balanced = entries.map((entry) => entry.balanced);
      const balancer = new LoadBalancer(balancing, balanced, this.#world);
      const { maxSessions, maxSessionsPerEndpoint } = balancing;
      this.#clusters.set(name, { counters, entries, balancer, maxSessions, maxSessionsPerEndpoint });
      onCluster();
    }
    for (const name of removed) {
      this.#forget(this.#clusters.get(name));
      this.#clusters.delete(name);
    }
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
    return this.#endpoints.get(id)?.cluster;
  }

  /**
   * Whether sessions may stay at the endpoint of this number: it is there, and well, or draining, or lingering, or
   * there is none that is better.
   */
  keeps(id: number): boolean {
    const entry = this.#endpoints.get(id);
    return entry !== undefined && !(entry.balanced.health === "UNHEALTHY" && entry.hasBetter);
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

  /**
   * The endpoint for a new session of a client at `address`, by the policy of the cluster; undefined where the
   * cluster is unknown, full, or without an endpoint that takes sessions.
   */
  pick(cluster: string, policy?: HashPolicy, address = ""): KnownEndpoint | undefined {
    const known = this.#clusters.get(cluster);
    if (known === undefined || this.#isOver(known)) return undefined;
    sessionHash(policy, address, this.#world.random, this.#hash);
    const picked = known.balancer.pick(this.#hash.high, this.#hash.low);
    const entry = known.entries[picked];
    // As in Envoy, nobody else is chosen: the client's next datagram is another try.
    return entry === undefined || this.#isEntryFull(known, entry) ? undefined : entry.known;
  }

  #isOver({ counters, maxSessions }: KnownCluster): boolean {
    if (maxSessions === Number.POSITIVE_INFINITY) return false;
    return this.#total(counters + ClusterSlot.sessionsActive) >= maxSessions;
  }

  #isEntryFull({ maxSessionsPerEndpoint }: KnownCluster, { known }: Entry): boolean {
    if (maxSessionsPerEndpoint === Number.POSITIVE_INFINITY) return false;
    return this.#total(known.counters + EndpointSlot.sessionsActive) >= maxSessionsPerEndpoint;
  }

  #forget(cluster: KnownCluster | undefined): void {
    for (const { known } of cluster?.entries ?? []) this.#endpoints.delete(known.id);
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
): Omit<Entry, "cluster" | "hasBetter"> {
  const { id, counters, health = "HEALTHY", weight = 1, priority = 0 } = endpoint;
  const { locality = 0, localityWeight = 1 } = endpoint;
  const sockaddr = new Uint8Array(SOCKADDR_BYTES);
  const sockaddrLength = writeSockaddr(sockaddr, 0, endpoint);
  const wasWell = before !== undefined && isWell(before.balanced.health);
  const balanced = {
    ...{ key: formatSocketAddress(endpoint), health, weight, priority, locality, localityWeight, counters },
    sinceMs: wasWell ? before.balanced.sinceMs : nowMs,
  };
  return { known: { id, sockaddr, sockaddrLength, counters, clusterCounters }, balanced };
}

/** Whether slow start goes on: one that was not well starts anew. */
function isWell(health: EndpointHealth): boolean {
  return health === "HEALTHY" || health === "DEGRADED";
}
