// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { connect, type Socket } from "node:net";
import { FilterFailure } from "../wasm/filter-failure.ts";
import type { RunnableFilter } from "../wasm/filter-options.ts";
import { ChainHost } from "../wasm/guest-state.ts";
import { type DataAnswer, NetworkGuest } from "../wasm/network-guest.ts";
import { GuestTimer } from "./guest-timer.ts";
import type { ListenerInstance } from "./listener-instance.ts";
import type { ListenerOrder } from "./protocol.ts";
import { RelayedConnection, type RelayHost } from "./relayed-connection.ts";
import type { InstanceHost } from "./signalling-instance.ts";
import type { SignallingOptions } from "./signalling-options.ts";
import type { RouteChoice } from "./signalling-world.ts";
import { socketAddresses } from "./socket-addresses.ts";

const KEEP_ALIVE_MS = 15_000;

/** What an endpoint that takes connections is reported as: any status below 500 would do. */
const CONNECTED = 200;

/** A connection with its sockets and the endpoint that was chosen for it. */
interface Relayed {
  readonly connection: RelayedConnection;
  readonly client: Socket;
  readonly remote: string;
  readonly startedMs: number;
  choice: RouteChoice | undefined;
}

/**
 * Relays connections to endpoints of a cluster, as Envoy's tcp_proxy does, with a Proxy-Wasm network filter between
 * them. Where the filter breaks, connections end with it, or go on without it under FAIL_OPEN.
 */
export class RelayInstance implements ListenerInstance, RelayHost {
  readonly owner: string;
  readonly #host: InstanceHost;
  readonly #filter: RunnableFilter;
  readonly #listener: string;
  readonly #chain: ChainHost;
  readonly #relayed = new Map<number, Relayed>();
  readonly #freeIndexes: number[] = [];
  readonly #timer = new GuestTimer(() => {
    this.#run(() => this.#guest?.tick());
    this.settle();
  });
  #nextIndex = 0;
  #idleTimeoutMs: number;
  #guest: NetworkGuest | null = null;
  #isOver = false;

  /** Starts the filter. Throws FilterFailure, unless it is to be bypassed. */
  constructor({ name, filter, options }: ListenerOrder, owner: string, host: InstanceHost) {
    this.owner = owner;
    this.#host = host;
    this.#listener = name;
    this.#filter = filter;
    this.#idleTimeoutMs = options.idleTimeoutMs;
    this.#chain = new ChainHost(host.site.environment(name));
    try {
      this.#guest = host.site.watched(() => new NetworkGuest(filter, this.#chain));
      this.#timer.set(this.#guest.nextDelayMs);
    } catch (thrown) {
      if (!(thrown instanceof FilterFailure) || filter.failurePolicy !== "FAIL_OPEN") throw thrown;
      this.#bypass(thrown);
    }
  }

  get connectionCount(): number {
    return this.#relayed.size;
  }

  get isIdle(): boolean {
    return this.#relayed.size === 0;
  }

  setOptions(options: SignallingOptions): void {
    this.#idleTimeoutMs = options.idleTimeoutMs;
  }

  /** It has no flows. */
  flowEvent(): void {}

  accept(client: Socket): void {
    const index = this.#freeIndexes.pop() ?? this.#nextIndex++;
    const { local, remote } = socketAddresses(client);
    const connection = new RelayedConnection(index, client, this);
    const startedMs = performance.now();
    this.#relayed.set(index, { connection, client, remote, startedMs, choice: undefined });
    this.#host.metrics.activeConnections.add(1);
    const session = { index, client: remote, endpoint: "", local, resumed: false };
    this.#chain.sessions.set(index, session);
    // Bytes pass either way, so that the time-out of one side speaks for both.
    client.setTimeout(this.#idleTimeoutMs, () => {
      this.#host.metrics.idleTimeouts.add(1);
      connection.close("flush");
    });
    if (this.#run(() => this.#guest?.openConnection(session)) ?? true) connection.connect();
    this.settle();
  }

  dispose(_lingerMs: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer.clear();
    for (const { connection } of this.#relayed.values()) connection.close("reset");
  }

  show(index: number, isUpstream: boolean, bytes: Uint8Array, isEnd: boolean): DataAnswer {
    // What the filter made of bytes before it broke is not to be had; they go on as they came.
    return this.#run(() => this.#guest?.data(index, isUpstream, bytes, isEnd)) ?? { goesOn: true, bytes };
  }

  connect(index: number): Socket | undefined {
    const { site, metrics } = this.#host;
    const relayed = this.#relayed.get(index);
    const request = { host: "", path: "/", method: "", headers: {}, source: relayed?.remote ?? "" };
    const choice = site.chooser.select(this.#host.routes(), request);
    const destination = site.chooser.destination(choice);
    if (relayed === undefined || destination === undefined) {
      metrics.routesNotFound.add(1);
      return undefined;
    }
    relayed.choice = choice;
    metrics.streams.add(1);
    metrics.activeStreams.add(1);
    const { address, port } = destination.address;
    const socket = connect({ host: address, port, noDelay: true, allowHalfOpen: true });
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    const timer = setTimeout(() => socket.destroy(), destination.connectTimeoutMs);
    let isConnected = false;
    socket.once("connect", () => {
      clearTimeout(timer);
      isConnected = true;
      site.chooser.report(choice, CONNECTED);
      const session = this.#chain.sessions.get(index);
      if (session !== undefined) this.#chain.sessions.set(index, { ...session, endpoint: choice.endpoint });
    });
    socket.once("close", () => {
      clearTimeout(timer);
      metrics.activeStreams.add(-1);
      // A client that left meanwhile says nothing of the endpoint.
      if (isConnected || relayed.connection.isClosing) return;
      metrics.failedStreams.add(1);
      site.chooser.report(choice, 0);
    });
    return socket;
  }

  sideClosed(index: number, isUpstream: boolean, by: "local" | "remote"): void {
    this.#run(() => this.#guest?.sideClosed(index, isUpstream, by));
  }

  over(index: number): void {
    const relayed = this.#relayed.get(index);
    if (relayed === undefined) return;
    this.#run(() => this.#guest?.connectionOver(index));
    this.#relayed.delete(index);
    this.#chain.sessions.delete(index);
    this.#chain.sessionState.close(index);
    this.#freeIndexes.push(index);
    const { choice, client, remote, startedMs } = relayed;
    const { site, metrics, onSettled } = this.#host;
    if (choice !== undefined) site.chooser.release(choice);
    const { bytesRead, bytesWritten } = client;
    metrics.activeConnections.add(-1);
    metrics.receivedBytes.add(bytesRead);
    metrics.sentBytes.add(bytesWritten);
    const durationMs = Math.round(performance.now() - startedMs);
    const endpoint = choice?.endpoint ?? "";
    const fields = { listener: this.#listener, remote, endpoint, durationMs, bytesRead, bytesWritten };
    site.log("info", fields, "connection closed");
    onSettled();
  }

  /** Does what the filter asked for in calls that are over. */
  settle(): void {
    if (this.#guest === null || this.#isOver) return;
    const { resumed, closed } = this.#guest.takeRequests();
    for (const { session, isUpstream } of resumed) this.#relayed.get(session)?.connection.resume(isUpstream);
    for (const session of closed) this.#relayed.get(session)?.connection.close("flush");
    this.#timer.set(this.#guest.nextDelayMs);
  }

  /** Calls the filter; undefined where there is none, or where this call ended it. */
  #run<T>(call: () => T | undefined): T | undefined {
    if (this.#isOver || this.#guest === null) return undefined;
    try {
      return this.#host.site.watched(call);
    } catch (error) {
      // A fault of the host is no fault of the filter, but its state is as uncertain after one.
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      const failure = error instanceof FilterFailure ? error : new FilterFailure("trap", reason);
      this.#guest = null;
      if (this.#filter.failurePolicy === "FAIL_OPEN") this.#bypass(failure);
      else {
        this.dispose(0);
        this.#host.onFailed(failure);
      }
      return undefined;
    }
  }

  /** Connections go on without the filter until its configuration changes. */
  #bypass({ kind, message }: FilterFailure): void {
    const { site, metrics } = this.#host;
    this.#timer.clear();
    metrics.failure(kind).add(1);
    const fields = { listener: this.#listener, filter: this.#filter.name, kind, reason: message };
    site.log("error", fields, "a network filter failed; connections go on without it");
    for (const { connection } of this.#relayed.values()) setImmediate(() => connection.release());
  }
}
