// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { ClusterSlot, type CounterPage, EndpointSlot } from "../datapath/counters.ts";
import type { EndpointDirectory, KnownEndpoint } from "../datapath/endpoint-directory.ts";
import { formatSocketAddress, readSockaddr } from "../datapath/sockaddr.ts";
import type { SocketAddress } from "../plan.ts";
import type { RouteTable } from "../routes/route-table.ts";
import { parseAddress } from "./parse-address.ts";
import type { SignallingCluster } from "./protocol.ts";
import type { RouteChoice, RouteRequest } from "./signalling-world.ts";

const NOT_FOUND = 404;
const UNAVAILABLE = 503;
const OK = 200;
/** Statuses from here on are faults of the endpoint. */
const FIRST_FAULT = 500;
const DEFAULT_CONNECT_TIMEOUT_MS = 5_000;

/** Where connections to an endpoint go. */
export interface Destination {
  readonly address: SocketAddress;
  readonly connectTimeoutMs: number;
}

interface EndpointChoice extends RouteChoice {
  readonly known: KnownEndpoint;
}

/** Chooses endpoints for the signalling filters of one worker, counts their sessions and notes how they do. */
export class RouteChooser {
  readonly #directory: EndpointDirectory;
  readonly #counters: CounterPage;
  readonly #random: () => number;
  readonly #clusters = new Map<string, SignallingCluster>();
  /** Failures in a row, by number of the endpoint. */
  readonly #failures = new Map<number, number>();

  constructor(directory: EndpointDirectory, counters: CounterPage, random: () => number = Math.random) {
    this.#directory = directory;
    this.#counters = counters;
    this.#random = random;
  }

  /** Takes over clusters that are new or changed, and forgets those removed. */
  update(clusters: readonly SignallingCluster[], removed: readonly string[]): void {
    this.#directory.update(clusters, removed);
    for (const cluster of clusters) this.#clusters.set(cluster.name, cluster);
    for (const name of removed) this.#clusters.delete(name);
    for (const id of this.#failures.keys()) {
      if (this.#directory.endpoint(id) === undefined) this.#failures.delete(id);
    }
  }

  /** Matches a request and chooses the endpoint for its session, which counts until `release`. */
  select(table: RouteTable, request: RouteRequest): RouteChoice {
    const sourceIp = parseAddress(request.source)?.address ?? "";
    const result = table.select({ ...request, sourceIp }, this.#random);
    const asked = { endpoint: "", host: request.host, path: request.path };
    if (result.kind === "none")
      return { ...asked, status: NOT_FOUND, reason: result.reason, name: "", cluster: "" };
    if (result.kind === "direct") {
      const { status, body, route } = result;
      return { ...asked, status, reason: body, name: route, cluster: "" };
    }
    const { route: name, cluster, host, path, hashKey } = result;
    const known = this.#pick(cluster, hashKey, sourceIp);
    if (known === undefined) {
      const reason = this.#whyNone(cluster);
      return { name, cluster, host, path, endpoint: "", status: UNAVAILABLE, reason };
    }
    this.#countSession(cluster, known, 1);
    const endpoint = formatSocketAddress(readSockaddr(known.sockaddr, 0));
    const choice: EndpointChoice = { name, cluster, host, path, endpoint, status: OK, reason: "", known };
    return choice;
  }

  /** The session of a choice is over. */
  release(choice: RouteChoice): void {
    if (isEndpointChoice(choice)) this.#countSession(choice.cluster, choice.known, -1);
  }

  /** Notes how an endpoint answered; 0 where it did not. */
  report(choice: RouteChoice, code: number): void {
    if (!isEndpointChoice(choice)) return;
    const { id } = choice.known;
    if (code !== 0 && code < FIRST_FAULT) {
      this.#failures.delete(id);
      return;
    }
    const failures = (this.#failures.get(id) ?? 0) + 1;
    // The detector of outliers forgets errors between its looks; requests are rarer than those.
    const isEnough = failures >= (this.#clusters.get(choice.cluster)?.failuresToTell ?? 1);
    this.#failures.set(id, isEnough ? 0 : failures);
    const current = this.#directory.endpoint(id);
    if (isEnough && current !== undefined)
      this.#counters[current.counters + EndpointSlot.errors]! += failures;
  }

  /** Where connections of a choice go. */
  destination(choice: RouteChoice): Destination | undefined {
    return isEndpointChoice(choice) ? this.#destinationOf(choice.cluster, choice.known) : undefined;
  }

  /** Where a connection to some endpoint of a cluster goes; undefined where there is none. */
  pickDestination(cluster: string): Destination | undefined {
    const known = this.#pick(cluster, undefined, "");
    return known && this.#destinationOf(cluster, known);
  }

  #destinationOf(cluster: string, { sockaddr }: KnownEndpoint): Destination {
    const { connectTimeoutMs = DEFAULT_CONNECT_TIMEOUT_MS } = this.#clusters.get(cluster) ?? {};
    return { address: readSockaddr(sockaddr, 0), connectTimeoutMs };
  }

  #pick(cluster: string, hashKey: string | undefined, sourceIp: string): KnownEndpoint | undefined {
    const policy = hashKey === undefined ? undefined : ({ kind: "KEY", key: hashKey } as const);
    return this.#directory.pick(cluster, policy, sourceIp);
  }

  #whyNone(cluster: string): string {
    const counters = this.#directory.counters(cluster);
    if (counters < 0) return `cluster ${cluster} is not known`;
    const isFull = this.#directory.isFull(cluster);
    this.#counters[counters + (isFull ? ClusterSlot.overflow : ClusterSlot.noneHealthy)]! += 1;
    return isFull
      ? `cluster ${cluster} has as many sessions as it may have`
      : `cluster ${cluster} has no endpoint that takes sessions`;
  }

  /** What is gone has no counters any more: their block may be another's by now. */
  #countSession(cluster: string, { id, clusterCounters }: KnownEndpoint, by: 1 | -1): void {
    const endpoint = this.#directory.endpoint(id);
    if (endpoint !== undefined) this.#count(endpoint.counters, EndpointSlot, by);
    if (this.#directory.counters(cluster) === clusterCounters) this.#count(clusterCounters, ClusterSlot, by);
  }

  #count(block: number, slots: { sessionsActive: number; sessionsTotal: number }, by: 1 | -1): void {
    this.#counters[block + slots.sessionsActive]! += by;
    if (by > 0) this.#counters[block + slots.sessionsTotal]! += 1;
  }
}

function isEndpointChoice(choice: RouteChoice): choice is EndpointChoice {
  return "known" in choice;
}
