// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";

const BUFFER_BYTES = 4 << 20;

/** Sends every datagram back to where it came from, with its own number in the first byte, if there is one. */
export class EchoEndpoint {
  readonly address: string;
  readonly #socket: Socket;
  /** The ports from which datagrams came: one for each session of the proxy. */
  readonly clients = new Set<number>();

  private constructor(socket: Socket, number: number) {
    this.address = socket.address().address;
    this.#socket = socket;
    socket.on("message", (datagram, from) => {
      this.clients.add(from.port);
      if (datagram.length > 0) datagram[0] = number;
      socket.send(datagram, from.port, from.address, () => undefined);
    });
  }

  /** Listens on a free port of the address. */
  static async start(address: string, number: number): Promise<EchoEndpoint> {
    const socket = createSocket({ type: isIPv6(address) ? "udp6" : "udp4", recvBufferSize: BUFFER_BYTES });
    socket.bind(0, address);
    await once(socket, "listening");
    return new EchoEndpoint(socket, number);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  close(): void {
    this.#socket.close();
  }
}
