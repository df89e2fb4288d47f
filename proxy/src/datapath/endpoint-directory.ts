// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { WorkerCluster, WorkerEndpoint } from "../worker/protocol.ts";
import type { SessionEndpoint } from "./session-table.ts";
import { SOCKADDR_BYTES, writeSockaddr } from "./sockaddr.ts";

/** An endpoint as sessions use it. */
export interface KnownEndpoint extends SessionEndpoint {
  /** First slot of its own counters. */
  readonly counters: number;
}

interface KnownCluster {
  readonly counters: number;
  readonly endpoints: readonly KnownEndpoint[];
  /** Where the round robin stands. */
  next: number;
}

/** The clusters that a worker knows, and every endpoint by its number. */
export class EndpointDirectory {
  readonly #clusters = new Map<string, KnownCluster>();
  readonly #endpoints = new Map<number, KnownEndpoint>();
  readonly #start: number;

  /** Workers start their round robin at different endpoints, so that a few sessions spread, too. */
  constructor(start: number) {
    this.#start = start;
  }

  /** Takes over clusters that are new or changed, and forgets those removed. */
  update(clusters: readonly WorkerCluster[], removed: readonly string[]): void {
    for (const { name, counters, endpoints } of clusters) {
      const known = this.#clusters.get(name);
      this.#forget(known);
      const entries = endpoints.map((endpoint) => toKnown(endpoint, counters));
      for (const entry of entries) this.#endpoints.set(entry.id, entry);
      this.#clusters.set(name, { counters, endpoints: entries, next: known?.next ?? this.#start });
    }
    for (const name of removed) {
      this.#forget(this.#clusters.get(name));
      this.#clusters.delete(name);
    }
  }

  /** The endpoint of this number; undefined once it is in no cluster any more. */
  endpoint(id: number): KnownEndpoint | undefined {
    return this.#endpoints.get(id);
  }

  has(cluster: string): boolean {
    return this.#clusters.has(cluster);
  }

  /** First slot of a cluster's counters, or -1 where it is not known. */
  counters(cluster: string): number {
    return this.#clusters.get(cluster)?.counters ?? -1;
  }

  /** The endpoint whose turn it is; undefined where the cluster is unknown or empty. */
  pick(cluster: string): KnownEndpoint | undefined {
    const known = this.#clusters.get(cluster);
    if (known === undefined || known.endpoints.length === 0) return undefined;
    const picked = known.endpoints[known.next % known.endpoints.length];
    known.next = (known.next + 1) % known.endpoints.length;
    return picked;
  }

  #forget(cluster: KnownCluster | undefined): void {
    for (const { id } of cluster?.endpoints ?? []) this.#endpoints.delete(id);
  }
}

function toKnown(endpoint: WorkerEndpoint, clusterCounters: number): KnownEndpoint {
  const sockaddr = new Uint8Array(SOCKADDR_BYTES);
  const sockaddrLength = writeSockaddr(sockaddr, 0, endpoint);
  const { id, counters } = endpoint;
  return { id, sockaddr, sockaddrLength, counters, clusterCounters };
}
