// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createServer, type Server } from "node:net";
import { type Clock, systemClock } from "../clock.ts";
import type { SourceCounts } from "../live-source.ts";
import { CameraConnection } from "./camera-connection.ts";

/** How the camera is reached and what it has. */
export interface CameraOptions {
  /** The address to listen at; loopback by default. */
  readonly address?: string;
  /** 0, the default, finds a free port. */
  readonly port?: number;
  /** The paths of its streams, without the first slash; `test` by default. */
  readonly streams?: readonly string[];
  /** What it serves; others are answered with 461. Both by default. */
  readonly transports?: readonly ("udp" | "tcp")[];
  /** A session of whose reader nothing is heard for so long is ended; 60 s by default. */
  readonly sessionTimeoutMs?: number;
  readonly clock?: Clock;
  /** A number from 0 to below 1. */
  readonly random?: () => number;
}

/** One reader as the camera sees it. */
export interface CameraReader extends SourceCounts {
  readonly stream: string;
}

/**
 * A test camera: an RTSP server (RFC 2326) for any number of readers, each of which gets the moving picture and the
 * tone from their beginning, by UDP or inside its connection.
 */
export class RtspCamera {
  readonly #server: Server;
  readonly #connections = new Set<CameraConnection>();
  readonly #requests = new Map<string, number>();
  #connected = 0;

  private constructor(options: Required<CameraOptions>) {
    this.#server = createServer((socket) => {
      this.#connected++;
      const connection = new CameraConnection(socket, options, {
        onMethod: (method) => this.#requests.set(method, (this.#requests.get(method) ?? 0) + 1),
        onClose: () => this.#connections.delete(connection),
      });
      this.#connections.add(connection);
    });
  }

  /** Listens. Passes on the error of the bind. */
  static async start(options: CameraOptions = {}): Promise<RtspCamera> {
    const all: Required<CameraOptions> = {
      address: "127.0.0.1",
      port: 0,
      streams: ["test"],
      transports: ["udp", "tcp"],
      sessionTimeoutMs: 60_000,
      clock: systemClock,
      random: Math.random,
      ...options,
    };
    const camera = new RtspCamera(all);
    await new Promise<void>((resolve, reject) => {
      camera.#server.once("error", reject).listen(all.port, all.address, resolve);
    });
    return camera;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the camera was stopped");
    return address.port;
  }

  /** Every session that is open. */
  get readers(): readonly CameraReader[] {
    return [...this.#connections].flatMap(({ sessions }) =>
      sessions.map(({ stream, counts }) => ({ stream, ...counts })),
    );
  }

  /** Connections since the start, requests by method, and packets dropped since readers were slow. */
  get counts(): {
    readonly connections: number;
    readonly requests: ReadonlyMap<string, number>;
    readonly dropped: number;
  } {
    const dropped = [...this.#connections].reduce((total, connection) => total + connection.dropped, 0);
    return { connections: this.#connected, requests: this.#requests, dropped };
  }

  /** Says goodbye to every reader and listens no more. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    await Promise.all([...this.#connections].map((connection) => connection.stop()));
    await closed;
  }
}
