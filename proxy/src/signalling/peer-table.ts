// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Socket } from "node:net";
import { Connection, type ConnectionEvents } from "./connection.ts";
import type { ListenerMetrics } from "./listener-metrics.ts";
import type { SignallingSite } from "./signalling-site.ts";

/** A connection of a client, or a stream that a filter opened. */
export type PeerKind = "connection" | "stream";

interface Peer {
  readonly connection: Connection;
  readonly kind: PeerKind;
  readonly remote: string;
  readonly startedMs: number;
}

/** The sockets of one filter instance by context: counted while they are open, and logged when they end. */
export class PeerTable {
  readonly #listener: string;
  readonly #site: SignallingSite;
  readonly #metrics: ListenerMetrics;
  readonly #peers = new Map<number, Peer>();
  #connections = 0;

  constructor(listener: string, site: SignallingSite, metrics: ListenerMetrics) {
    this.#listener = listener;
    this.#site = site;
    this.#metrics = metrics;
  }

  /** Connections of clients that are open. */
  get connections(): number {
    return this.#connections;
  }

  get(context: number): Connection | undefined {
    return this.#peers.get(context)?.connection;
  }

  contexts(): readonly number[] {
    return [...this.#peers.keys()];
  }

  /** Takes over a socket. `number` is its connection's in the worker, `remote` its far end, `ip:port`. */
  add(
    context: number,
    { kind, number, socket, remote }: { kind: PeerKind; number: number; socket: Socket; remote: string },
    events: ConnectionEvents,
  ): Connection {
    const connection = new Connection(number, socket, events);
    this.#peers.set(context, { connection, kind, remote, startedMs: performance.now() });
    this.#site.connections.set(number, connection);
    this.#count(kind, 1);
    return connection;
  }

  /** Forgets a socket that is over, and says in the log what it was. */
  remove(context: number, by: "local" | "remote"): void {
    const peer = this.#peers.get(context);
    if (peer === undefined) return;
    const { connection, kind, startedMs, remote } = peer;
    const { number, bytesRead, bytesWritten } = connection;
    this.#peers.delete(context);
    this.#site.connections.delete(number);
    this.#count(kind, -1);
    this.#metrics.receivedBytes.add(bytesRead);
    this.#metrics.sentBytes.add(bytesWritten);
    const durationMs = Math.round(performance.now() - startedMs);
    const fields = { listener: this.#listener, kind, remote, durationMs, bytesRead, bytesWritten, by };
    this.#site.log("info", fields, "connection closed");
  }

  #count(kind: PeerKind, by: 1 | -1): void {
    if (kind === "connection") this.#connections += by;
    this.#metrics[kind === "stream" ? "activeStreams" : "activeConnections"].add(by);
  }
}
