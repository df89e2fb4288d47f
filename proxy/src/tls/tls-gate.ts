// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { checkPeer } from "./check-peer.ts";
import { contextOptions } from "./secure-context.ts";
import type { SslMetrics } from "./ssl-metrics.ts";
import type { ServerTlsPlan } from "./tls-plan.ts";

/** A client that takes longer for its handshake is cut off. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** What a gate tells. */
export interface TlsGateEvents {
  /** The handshake is done, and the client is let in. */
  onSecure(socket: Socket): void;
  /** The client is not let in, and its connection is over; `reason` is for a log. */
  onRefused(remote: string, reason: string): void;
}

/**
 * Lets connections in after their TLS handshake. A gate has one set of certificates: for others a new one is made, and
 * connections that the old one has let in, or is about to, go on.
 */
export class TlsGate {
  readonly #plan: ServerTlsPlan;
  readonly #metrics: SslMetrics;
  readonly #events: TlsGateEvents;
  /** It never listens: it is handed connections. */
  readonly #server: Server;
  /** Connections in their handshake, by their far end. */
  readonly #waiting = new Map<string, Socket>();

  /** Throws where OpenSSL does not take a part of the plan. */
  constructor(plan: ServerTlsPlan, metrics: SslMetrics, events: TlsGateEvents) {
    this.#plan = plan;
    this.#metrics = metrics;
    this.#events = events;
    const { alpnProtocols } = plan.parameters;
    this.#server = createServer({
      ...contextOptions(plan),
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      requestCert: plan.validation !== undefined,
      // What is wrong with a certificate is looked at below, where it is counted.
      rejectUnauthorized: false,
      ...(alpnProtocols.length === 0 ? {} : { ALPNProtocols: [...alpnProtocols] }),
    });
    this.#server.on("secureConnection", (socket) => this.#admit(socket));
    this.#server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
      this.#metrics.connectionError.add(1);
      this.#events.onRefused(socket.remoteAddress ?? "", error.code ?? error.message);
    });
  }

  /** Connections whose handshake is under way. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Takes a connection over, to let it in or to end it. */
  accept(raw: Socket): void {
    const key = farEnd(raw);
    this.#waiting.set(key, raw);
    // Errors come with the end of the handshake or of the connection.
    raw.on("error", () => {});
    raw.once("close", () => this.#waiting.delete(key));
    this.#server.emit("connection", raw);
  }

  /** Ends the handshakes that are under way. */
  close(): void {
    for (const raw of this.#waiting.values()) raw.destroy();
  }

  #admit(socket: TLSSocket): void {
    const metrics = this.#metrics;
    const key = farEnd(socket);
    const raw = this.#waiting.get(key);
    this.#waiting.delete(key);
    const { validation, requiresCertificate } = this.#plan;
    if (validation !== undefined) {
      const certificate = socket.getPeerX509Certificate();
      const shown = { certificate, isTrusted: socket.authorized };
      const fault = checkPeer(shown, validation, requiresCertificate);
      if (fault !== undefined) {
        metrics.fault(fault).add(1);
        // Node has a text here, whatever its types say.
        const reason = String(socket.authorizationError ?? "");
        this.#events.onRefused(socket.remoteAddress ?? "", `${fault} ${reason}`.trim());
        socket.destroy();
        return;
      }
    }
    this.#count(socket);
    // A TLS socket has no reset of its own, and one whose far end has gone has no address to find the other by.
    socket.resetAndDestroy = () => {
      if (raw === undefined) socket.destroy();
      else raw.resetAndDestroy();
      return socket;
    };
    this.#events.onSecure(socket);
  }

  #count(socket: TLSSocket): void {
    const metrics = this.#metrics;
    metrics.handshake.add(1);
    metrics.version(socket.getProtocol() ?? "unknown").add(1);
    metrics.cipher(socket.getCipher().name).add(1);
    if (socket.isSessionReused()) metrics.sessionReused.add(1);
    if (socket.getPeerX509Certificate() === undefined) metrics.noCertificate.add(1);
  }
}

function farEnd({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
