// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { until } from "@msm/deploy";

/** So many datagrams are under way at once: few enough for the receive buffers between client and endpoint. */
const WINDOW = 100;
const ECHO_TIMEOUT_MS = 10_000;

/** Many clients of one listener, each with one session; it knows which endpoint answered each of them last. */
export class ClientGroup {
  readonly #sockets: readonly Socket[];
  /** By client: the number of the endpoint, or 0 where no answer came yet. */
  readonly #endpoints: Uint8Array;
  #answers = 0;

  private constructor(sockets: readonly Socket[]) {
    this.#sockets = sockets;
    this.#endpoints = new Uint8Array(sockets.length);
    sockets.forEach((socket, client) => {
      socket.on("error", () => undefined);
      socket.on("message", (datagram) => {
        this.#endpoints[client] = datagram[0]!;
        this.#answers++;
      });
    });
  }

  /** Opens so many sockets, connected to a port of loopback. */
  static async open(count: number, port: number): Promise<ClientGroup> {
    const sockets: Socket[] = [];
    for (let client = 0; client < count; client++) {
      const socket = createSocket("udp4");
      socket.connect(port, "127.0.0.1");
      await once(socket, "connect");
      sockets.push(socket);
    }
    return new ClientGroup(sockets);
  }

  /** Sends one datagram from each client and waits for every echo. Returns the number of each one's endpoint. */
  async ask(): Promise<readonly number[]> {
    this.#endpoints.fill(0);
    this.#answers = 0;
    for (let sent = 0; sent < this.#sockets.length; ) {
      const end = Math.min(sent + WINDOW, this.#sockets.length);
      for (; sent < end; sent++) this.#sockets[sent]!.send(Buffer.alloc(16));
      await until(`${sent} clients had their echo`, () => this.#answers >= sent, ECHO_TIMEOUT_MS);
    }
    return [...this.#endpoints];
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }
}
