// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createServer, type Server, type Socket } from "node:net";
import { isDeepStrictEqual } from "node:util";
import type { FlowEvent } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import type { SocketAddress } from "../plan.ts";
import { RouteTable } from "../routes/route-table.ts";
import { sslMetrics } from "../tls/ssl-metrics.ts";
import { TlsGate } from "../tls/tls-gate.ts";
import { type FilterFailure, toFilterFailure } from "../wasm/filter-failure.ts";
import type { ReloadPolicy, RunnableFilter } from "../wasm/filter-options.ts";
import { ReloadTimer } from "../wasm/reload-timer.ts";
import { type ListenerInstance, startInstance } from "./listener-instance.ts";
import { type ListenerMetrics, listenerMetrics, type RefusalReason } from "./listener-metrics.ts";
import type { ListenerOrder } from "./protocol.ts";
import type { SignallingSite } from "./signalling-site.ts";

/** When a filter that broke is made anew, unless its `reload_config` says otherwise. */
const RELOAD: ReloadPolicy = { baseMs: 50, maxMs: 5_000 };
/** How long connections stay with a filter that was replaced. */
const DRAIN_LIMIT_MS = 600_000;
/** Filters that were replaced and still have connections; beyond it the oldest ends. */
const MAX_DRAINING = 3;
const KEEP_ALIVE_MS = 15_000;
/** Connections that wait in the kernel to be accepted. */
const BACKLOG = 1_024;

/** A TCP listener with the instances of its filter: one that takes connections, and older ones that end. */
export class SignallingListener {
  readonly #site: SignallingSite;
  readonly #generation: string;
  #order: ListenerOrder;
  #routes: RouteTable;
  #metrics: ListenerMetrics;
  #server: Server | undefined;
  #localAddress: SocketAddress;
  /** Where connections are in TLS. */
  #gate: TlsGate | undefined;
  #current: ListenerInstance | undefined;
  readonly #draining: { readonly instance: ListenerInstance; readonly timer: NodeJS.Timeout }[] = [];
  #reload: ReloadTimer;
  #reloadTimer: NodeJS.Timeout | undefined;
  #instances = 0;
  #isClosed = false;

  /** `generation` makes the names of its flows' owners different from those of every other listener. */
  constructor(order: ListenerOrder, generation: string, site: SignallingSite) {
    this.#site = site;
    this.#generation = generation;
    this.#order = order;
    this.#localAddress = order.address;
    this.#routes = new RouteTable(order.routes);
    this.#metrics = listenerMetrics(site.environment(order.name), order.filter.name);
    this.#reload = new ReloadTimer(reloadOf(order), performance.now());
    this.#start();
  }

  get localAddress(): SocketAddress {
    return this.#localAddress;
  }

  /** Opens the port. Rejects where it cannot be had. */
  async open(): Promise<void> {
    const server = await listen(this.#order.address, (socket) => this.#take(socket));
    this.#replaceServer(server);
    this.#gate = this.#makeGate();
  }

  /** Follows a changed order. Connections stay, whatever changes. Rejects, and all is as before, where the new port cannot be had. */
  async apply(order: ListenerOrder): Promise<void> {
    const before = this.#order;
    const { address, port } = order.address;
    // Port 0 is whichever it has.
    const isSamePort = port === before.address.port || port === 0;
    if (address !== before.address.address || !isSamePort) {
      const server = await listen(order.address, (socket) => this.#take(socket));
      this.#server?.close();
      this.#replaceServer(server);
    }
    this.#order = order;
    // Handshakes that are under way end with the certificates that they began with.
    if (!isDeepStrictEqual(order.tls, before.tls) || !isSamePort) this.#gate = this.#makeGate();
    if (order.routes !== before.routes) this.#routes = new RouteTable(order.routes);
    if (!isSameFilter(order, before)) {
      this.#metrics = listenerMetrics(this.#site.environment(order.name), order.filter.name);
      this.#replace();
      return;
    }
    this.#current?.setOptions(order.options);
  }

  flowEvent(owner: string, flow: number, event: FlowEvent, worker: number): void {
    const instances = [this.#current, ...this.#draining.map(({ instance }) => instance)];
    instances.find((instance) => instance?.owner === owner)?.flowEvent(flow, event, worker);
  }

  /** Closes the port, every connection and every flow. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#reloadTimer);
    this.#server?.close();
    this.#gate?.close();
    this.#current?.dispose(0);
    for (const { instance } of [...this.#draining]) this.#end(instance);
  }

  #replaceServer(server: Server): void {
    const { address, port } = server.address() as { address: string; port: number };
    this.#server = server;
    this.#localAddress = { address, port };
  }

  #makeGate(): TlsGate | undefined {
    const { name, tls } = this.#order;
    if (tls === undefined) return undefined;
    const metrics = sslMetrics(this.#site.environment(name), this.#localAddress);
    return new TlsGate(tls, metrics, {
      // A gate before this one may be as late as its slowest client.
      onSecure: (socket) => (this.#isClosed ? void socket.destroy() : this.#accept(socket)),
      onRefused: (remote, reason) =>
        this.#site.log("debug", { listener: name, remote, reason }, "no TLS connection came about"),
    });
  }

  /** Takes a connection over, after its handshake where there is TLS. */
  #take(socket: Socket): void {
    if (this.#gate === undefined) this.#accept(socket);
    else if (this.#gate.waiting < this.#order.maxConnections) this.#gate.accept(socket);
    else this.#refuse(socket, "too_many");
  }

  #accept(socket: Socket): void {
    const { maxConnections } = this.#order;
    const instances = [this.#current, ...this.#draining.map(({ instance }) => instance)];
    const count = instances.reduce((sum, instance) => sum + (instance?.connectionCount ?? 0), 0);
    const instance = this.#current;
    if (instance === undefined || count >= maxConnections) {
      this.#refuse(socket, instance === undefined ? "filter_failed" : "too_many");
      return;
    }
    this.#metrics.connections.add(1);
    instance.accept(socket);
  }

  #refuse(socket: Socket, reason: RefusalReason): void {
    this.#metrics.refused[reason].add(1);
    socket.resetAndDestroy();
  }

  /** Makes an instance; where it fails, another one later. */
  #start(): void {
    const { name, filter } = this.#order;
    const owner = `${this.#generation}/${name}/${++this.#instances}`;
    this.#reload.start(performance.now());
    this.#metrics.instances.add(1);
    try {
      const instance: ListenerInstance = startInstance(this.#order, owner, {
        site: this.#site,
        metrics: this.#metrics,
        routes: () => this.#routes,
        onFailed: (failure) => this.#onFailed(instance, failure),
        onSettled: () => this.#endIfIdle(instance),
      });
      this.#current = instance;
    } catch (thrown) {
      const failure = toFilterFailure(thrown, "start", filter.name);
      this.#current = undefined;
      this.#note(failure);
      this.#retry(failure);
    }
  }

  #onFailed(instance: ListenerInstance, failure: FilterFailure): void {
    this.#note(failure);
    if (instance !== this.#current) {
      this.#end(instance);
      return;
    }
    this.#current = undefined;
    this.#retry(failure);
  }

  #note({ kind, message }: FilterFailure): void {
    const { name, filter } = this.#order;
    this.#metrics.failure(kind).add(1);
    const fields = { listener: name, filter: filter.name, kind, reason: message };
    this.#site.log("error", fields, "a signalling filter failed; its connections are closed");
  }

  #retry(failure: FilterFailure): void {
    if (this.#isClosed) return;
    const waitMs = this.#reload.fail(performance.now()) ?? RELOAD.maxMs;
    const fields = { listener: this.#order.name, waitMs, kind: failure.kind };
    this.#site.log("info", fields, "the signalling filter is made anew after a wait");
    clearTimeout(this.#reloadTimer);
    this.#reloadTimer = setTimeout(() => this.#start(), waitMs);
  }

  /** A new filter for new connections; the old one keeps those that it has, up to a limit. */
  #replace(): void {
    const old = this.#current;
    clearTimeout(this.#reloadTimer);
    this.#reload = new ReloadTimer(reloadOf(this.#order), performance.now());
    this.#start();
    if (old === undefined) return;
    const timer = setTimeout(() => this.#end(old), DRAIN_LIMIT_MS).unref();
    this.#draining.push({ instance: old, timer });
    this.#endIfIdle(old);
    const [oldest] = this.#draining;
    if (oldest !== undefined && this.#draining.length > MAX_DRAINING) this.#end(oldest.instance);
  }

  #endIfIdle(instance: ListenerInstance): void {
    if (instance !== this.#current && instance.isIdle) this.#end(instance);
  }

  #end(instance: ListenerInstance): void {
    const index = this.#draining.findIndex((draining) => draining.instance === instance);
    if (index < 0) return;
    clearTimeout(this.#draining[index]?.timer);
    this.#draining.splice(index, 1);
    instance.dispose(0);
  }
}

function reloadOf({ filter }: ListenerOrder): ReloadPolicy {
  return (filter as RunnableFilter).reload ?? RELOAD;
}

/** The module is told apart by its digest: it is another object after each message. */
function isSameFilter(
  { filter: a, isRelay }: ListenerOrder,
  { filter: b, ...other }: ListenerOrder,
): boolean {
  const key = ({ module: _, ...rest }: typeof a): string => JSON.stringify(rest, bytesAsText);
  return isRelay === other.isRelay && key(a) === key(b);
}

function bytesAsText(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
}

function listen({ address, port }: SocketAddress, onSocket: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    });
    server.on("connection", onSocket);
    server.once("error", reject);
    server.listen(
      { host: address, port, backlog: BACKLOG, ipv6Only: address.includes(":"), exclusive: true },
      () => {
        server.off("error", reject);
        // Running out of files must not end the worker; what waits in the kernel is accepted later.
        server.on("error", () => {});
        resolve(server);
      },
    );
  });
}
