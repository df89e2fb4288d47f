// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { connect, type Socket } from "node:net";
import { toBinary } from "@msm/xds-protos/messages";
import {
  type Flow,
  type FlowEvent,
  FlowEvent_Kind,
  FlowSchema,
} from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { formatSocketAddress } from "../datapath/sockaddr.ts";
import type { FlowChange } from "../flow/flow-service.ts";
import type { RouteTable } from "../routes/route-table.ts";
import { FilterFailure } from "../wasm/filter-failure.ts";
import type { ConnectionEvents } from "./connection.ts";
import { GuestTimer } from "./guest-timer.ts";
import { InterleavedLegs } from "./interleaved-legs.ts";
import type { ListenerMetrics } from "./listener-metrics.ts";
import { PeerTable } from "./peer-table.ts";
import type { FlowOrder, ListenerOrder } from "./protocol.ts";
import type { Destination } from "./route-chooser.ts";
import { SignallingGuest } from "./signalling-guest.ts";
import type { SignallingOptions } from "./signalling-options.ts";
import type { SignallingSite } from "./signalling-site.ts";
import type {
  CloseHow,
  Delivery,
  RouteChoice,
  RouteRequest,
  SignallingWorld,
  StreamTarget,
} from "./signalling-world.ts";
import { socketAddresses } from "./socket-addresses.ts";
import { streamDestination } from "./stream-destination.ts";

/** For how long the flows of a filter that failed go on without it. */
const FAILED_LINGER_MS = 10_000;
/** How often a silent peer is asked whether it is still there. */
const KEEP_ALIVE_MS = 15_000;

/** What an instance needs to know of its listener. */
export interface InstanceHost {
  readonly site: SignallingSite;
  readonly metrics: ListenerMetrics;
  /** The newest routes. */
  routes(): RouteTable;
  /** The filter broke: nothing of it is left but its flows. */
  onFailed(failure: FilterFailure): void;
  /** A call into the filter is over. */
  onSettled(): void;
}

/** One instance of a signalling filter with its sockets: the world of a guest, made of TCP, routes and messages. */
export class SignallingInstance implements SignallingWorld {
  readonly #host: InstanceHost;
  readonly #listener: string;
  /** Name of its flows' owner. */
  readonly #owner: string;
  readonly #guest: SignallingGuest;
  readonly #peers: PeerTable;
  readonly #legs = new InterleavedLegs();
  /** The datapath worker of each flow. */
  readonly #flowWorkers = new Map<number, number>();
  readonly #choices = new Set<RouteChoice>();
  #idleTimeoutMs: number;
  readonly #timer = new GuestTimer(() => void this.#run(() => this.#guest.tick()));
  #isOver = false;

  /** Starts the filter. Throws FilterFailure. */
  constructor({ name, filter, options }: ListenerOrder, owner: string, host: InstanceHost) {
    this.#host = host;
    this.#listener = name;
    this.#owner = owner;
    this.#idleTimeoutMs = options.idleTimeoutMs;
    this.#peers = new PeerTable(name, host.site, host.metrics);
    const env = host.site.environment(name);
    this.#guest = host.site.watched(() => new SignallingGuest(filter, env, this, options));
    this.#timer.set(this.#guest.nextDelayMs());
  }

  get owner(): string {
    return this.#owner;
  }

  /** Connections of clients that are open. */
  get connectionCount(): number {
    return this.#peers.connections;
  }

  /** Whether it has nothing left to do. */
  get isIdle(): boolean {
    return this.#guest.peerCount === 0 && this.#guest.flowCount === 0;
  }

  setOptions(options: SignallingOptions): void {
    this.#idleTimeoutMs = options.idleTimeoutMs;
    this.#guest.setOptions(options);
  }

  /** Takes a client's connection over. */
  accept(socket: Socket): void {
    const { site } = this.#host;
    const number = site.nextConnection();
    const addresses = socketAddresses(socket);
    const peer = { kind: "connection", number, socket, remote: addresses.remote } as const;
    const add = (context: number): void => {
      const connection = this.#peers.add(context, peer, {
        ...this.#dataEvents(context),
        onIdle: () => this.#onIdle(context),
        onClosed: (by) => {
          this.#peers.remove(context, by);
          this.#run(() => this.#guest.connectionClosed(context, by));
        },
      });
      connection.setIdleTimeout(this.#idleTimeoutMs);
    };
    this.#run(() => this.#guest.openConnection(site.qualify(number), addresses, add));
  }

  flowEvent(flow: number, event: FlowEvent, worker: number): void {
    const isGone = event.kind === FlowEvent_Kind.FAILED && !this.#flowWorkers.has(flow);
    if (event.kind === FlowEvent_Kind.CLOSED || isGone) {
      this.#flowWorkers.delete(flow);
      this.#legs.close(flow);
    } else if (worker >= 0) this.#flowWorkers.set(flow, worker);
    this.#run(() => this.#guest.flowEvent(flow, event));
  }

  /** Ends everything: connections and streams at once, flows after their linger. */
  dispose(lingerMs: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer.clear();
    for (const context of this.#peers.contexts()) {
      this.#peers.get(context)?.close(lingerMs > 0 ? "reset" : "flush");
      this.#peers.remove(context, "local");
    }
    for (const choice of this.#choices) this.#host.site.chooser.release(choice);
    this.#choices.clear();
    this.#orderFlow({ call: "release", lingerMs });
  }

  // What the guest asks for.

  write(context: number, bytes: Uint8Array): boolean {
    return this.#peers.get(context)?.write(bytes) ?? true;
  }

  close(context: number, how: CloseHow): void {
    this.#peers.get(context)?.close(how);
  }

  resume(context: number): void {
    this.#peers.get(context)?.resume();
  }

  setIdleTimeout(context: number, timeoutMs: number): void {
    this.#peers.get(context)?.setIdleTimeout(timeoutMs);
  }

  connect(context: number, target: StreamTarget): number {
    const { site, metrics } = this.#host;
    const number = site.nextConnection();
    const destination = streamDestination(site.chooser, target);
    metrics.streams.add(1);
    if (destination === undefined) setImmediate(() => this.#streamFailed(context));
    else this.#connect(context, number, destination);
    return site.qualify(number);
  }

  putFlow(flow: number, message: Flow): void {
    this.#legs.put(flow, message);
    this.#orderFlow({ call: "put", flow, message: toBinary(FlowSchema, message) });
  }

  changeFlow(flow: number, change: FlowChange): void {
    this.#legs.change(flow, change);
    const { changed, removed } = change;
    this.#orderFlow({ call: "change", flow, changed: toBinary(FlowSchema, changed), removed });
  }

  closeFlow(flow: number): void {
    this.#legs.close(flow);
    this.#orderFlow({ call: "close", flow });
  }

  sendInterleaved(context: number, channel: number, packet: Uint8Array): Delivery {
    const { site, metrics } = this.#host;
    const { number = -1 } = this.#peers.get(context) ?? {};
    const flow = this.#legs.flowOf(number, channel);
    if (flow === undefined) return "no-leg";
    const worker = this.#flowWorkers.get(flow) ?? -1;
    if (worker >= 0 && site.links.send(worker, number, channel, packet)) return "taken";
    metrics.droppedPackets.add(1);
    return "full";
  }

  selectRoute(request: RouteRequest): RouteChoice {
    const choice = this.#host.site.chooser.select(this.#host.routes(), request);
    if (choice.endpoint === "") this.#host.metrics.routesNotFound.add(1);
    this.#choices.add(choice);
    return choice;
  }

  reportResult(choice: RouteChoice, code: number): void {
    this.#host.site.chooser.report(choice, code);
  }

  releaseRoute(choice: RouteChoice): void {
    if (this.#choices.delete(choice)) this.#host.site.chooser.release(choice);
  }

  #connect(context: number, number: number, { cluster, address, connectTimeoutMs }: Destination): void {
    const onSettled = this.#host.site.chooser.connecting(cluster);
    const socket = connect({ host: address.address, port: address.port, noDelay: true, allowHalfOpen: true });
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    const timer = setTimeout(() => socket.destroy(), connectTimeoutMs);
    let isConnected = false;
    const remote = formatSocketAddress(address);
    this.#peers.add(
      context,
      { kind: "stream", number, socket, remote },
      {
        ...this.#dataEvents(context),
        onIdle: () => {},
        onClosed: (by) => {
          clearTimeout(timer);
          onSettled();
          this.#peers.remove(context, by);
          // A stream that the filter itself gave up was not refused by anyone.
          if (isConnected || by === "local") this.#run(() => this.#guest.streamClosed(context));
          else this.#streamFailed(context);
        },
      },
    );
    socket.once("connect", () => {
      clearTimeout(timer);
      onSettled();
      isConnected = true;
      this.#run(() => this.#guest.streamConnected(context, socketAddresses(socket)));
    });
  }

  #dataEvents(context: number): Pick<ConnectionEvents, "onData" | "onWritable"> {
    return {
      onData: (bytes, isEnd) => this.#run(() => this.#guest.data(context, bytes, isEnd)) ?? false,
      onWritable: () => void this.#run(() => this.#guest.writable(context)),
    };
  }

  #streamFailed(context: number): void {
    this.#host.metrics.failedStreams.add(1);
    this.#run(() => this.#guest.streamFailed(context));
  }

  /** A reader whose media travel inside the connection is not idle, whatever it says, while it takes them. */
  #onIdle(context: number): void {
    const connection = this.#peers.get(context);
    if (connection === undefined) return;
    const { isStalled, number } = connection;
    if (!isStalled && this.#legs.uses(number)) return;
    this.#host.metrics.idleTimeouts.add(1);
    connection.close(isStalled ? "reset" : "flush");
  }

  #orderFlow(order: FlowOrder): void {
    this.#host.site.orderFlow(this.#listener, this.#owner, order);
  }

  /** Calls the filter, unless it is over; undefined where it is, or where this call ended it. */
  #run<T>(call: () => T): T | undefined {
    if (this.#isOver) return undefined;
    const { site } = this.#host;
    try {
      const result = site.watched(call);
      if (!this.#isOver) this.#timer.set(this.#guest.nextDelayMs());
      return result;
    } catch (error) {
      // A fault of the host is no fault of the filter, but its state is as uncertain after one.
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.dispose(FAILED_LINGER_MS);
      this.#host.onFailed(error instanceof FilterFailure ? error : new FilterFailure("trap", reason));
      return undefined;
    } finally {
      site.links.flush();
      this.#host.onSettled();
    }
  }
}
