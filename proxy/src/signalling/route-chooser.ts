// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { FailureRuns } from "../cluster/failure-runs.ts";
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
/** Answers from here on are faults of the endpoint. */
const FIRST_SERVER_ERROR = 500;
const DEFAULT_CONNECT_TIMEOUT_MS = 5_000;

/** Where connections to an endpoint go. */
export interface Destination {
  /** Empty where no cluster names the address. */
  readonly cluster: string;
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
  readonly #runs = new Map<number, FailureRuns>();

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
    for (const id of this.#runs.keys()) {
      if (this.#directory.endpoint(id) === undefined) this.#runs.delete(id);
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
    const { route: name, cluster, subset, host, path, hashKey } = result;
    if (this.#directory.isPendingFull(cluster)) {
      this.#counters[this.#directory.counters(cluster) + ClusterSlot.pendingOverflow]! += 1;
      const reason = `cluster ${cluster} has as many connections under way as it may have`;
      return { name, cluster, host, path, endpoint: "", status: UNAVAILABLE, reason };
    }
    const policy = hashKey === undefined ? undefined : ({ kind: "KEY", key: hashKey } as const);
    const known = this.#directory.pick(cluster, policy, sourceIp, subset);
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
    const current = this.#directory.endpoint(id);
    if (current === undefined) return;
    this.#counters[current.counters + resultSlot(code)]! += 1;
    const plan = this.#clusters.get(choice.cluster)?.consecutive;
    if (plan === undefined) return;
    const runs = this.#runs.get(id) ?? new FailureRuns();
    this.#runs.set(id, runs);
    if (runs.note(code, plan, this.#random)) this.#counters[current.counters + EndpointSlot.verdicts]! += 1;
  }

  /** Where connections of a choice go. */
  destination(choice: RouteChoice): Destination | undefined {
    return isEndpointChoice(choice) ? this.#destinationOf(choice.cluster, choice.known) : undefined;
  }

  /** A connection to a cluster is being made: it counts until the function that is returned is called, once or more. */
  connecting(cluster: string): () => void {
    const block = this.#directory.counters(cluster);
    if (block < 0) return () => {};
    this.#counters[block + ClusterSlot.pendingActive]! += 1;
    let isPending = true;
    return () => {
      if (isPending && this.#directory.counters(cluster) === block) {
        this.#counters[block + ClusterSlot.pendingActive]! -= 1;
      }
      isPending = false;
    };
  }

  /** Where a connection to some endpoint of a cluster goes; undefined where there is none. */
  pickDestination(cluster: string): Destination | undefined {
    const known = this.#directory.pick(cluster);
    return known && this.#destinationOf(cluster, known);
  }

  #destinationOf(cluster: string, { sockaddr }: KnownEndpoint): Destination {
    const { connectTimeoutMs = DEFAULT_CONNECT_TIMEOUT_MS } = this.#clusters.get(cluster) ?? {};
    return { cluster, address: readSockaddr(sockaddr, 0), connectTimeoutMs };
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

function resultSlot(code: number): number {
  if (code === 0) return EndpointSlot.connectFailures;
  return code < FIRST_SERVER_ERROR ? EndpointSlot.successes : EndpointSlot.serverErrors;
}

function isEndpointChoice(choice: RouteChoice): choice is EndpointChoice {
  return "known" in choice;
}
