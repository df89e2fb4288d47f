// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

/** Clients that send again and again, and know which endpoint answered each of them last. */
export class BeatingClients {
  readonly #sockets: readonly Socket[];
  /** By client: the number of the endpoint, or 0 where no answer came yet. */
  readonly #endpoints: Uint8Array;
  readonly #timer: NodeJS.Timeout;

  private constructor(sockets: readonly Socket[], intervalMs: number, numberAt: number) {
    this.#sockets = sockets;
    this.#endpoints = new Uint8Array(sockets.length);
    sockets.forEach((socket, client) => {
      socket.on("error", () => undefined);
      socket.on("message", (datagram) => {
        this.#endpoints[client] = datagram[numberAt]!;
      });
    });
    this.#timer = setInterval(() => {
      for (const socket of sockets) socket.send(Buffer.alloc(16));
    }, intervalMs);
  }

  /**
   * Opens so many sockets, connected to a port of loopback, each of which sends at this interval. Endpoints write their
   * number to the byte at `numberAt` of what they answer.
   */
  static async start(count: number, port: number, intervalMs: number, numberAt = 0): Promise<BeatingClients> {
    const sockets: Socket[] = [];
    for (let client = 0; client < count; client++) {
      const socket = createSocket("udp4");
      socket.connect(port, "127.0.0.1");
      await once(socket, "connect");
      sockets.push(socket);
    }
    return new BeatingClients(sockets, intervalMs, numberAt);
  }

  /** How many clients were answered by this endpoint last. */
  servedBy(endpoint: number): number {
    return this.#endpoints.reduce((count, answered) => count + (answered === endpoint ? 1 : 0), 0);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket.close();
  }
}
