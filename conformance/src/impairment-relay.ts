// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createSocket, type RemoteInfo, type Socket } from "node:dgram";

/** What the relay does to what it forwards. */
export interface ImpairmentRelayOptions {
  readonly target: { readonly address: string; readonly port: number };
  /** Drops every n-th datagram on its way to the target: the n-th, the 2n-th. 0 drops none. */
  readonly dropEvery?: number;
  /** Holds back every second of those that pass for so long: jitter that is known. */
  readonly delayEverySecondMs?: number;
  /** The port from which the first client's datagrams go on; a free one by default. */
  readonly upstreamPort?: number;
}

const BUFFER_BYTES = 4 << 20;

/**
 * Forwards datagrams between clients and one target and loses some of them, the same ones in every run. Each client
 * has a port of its own towards the target, as behind a NAT; answers are never dropped.
 */
export class ImpairmentRelay {
  readonly #front: Socket;
  readonly #options: ImpairmentRelayOptions;
  readonly #clients = new Map<string, Socket>();
  #received = 0;
  #dropped = 0;
  #passed = 0;

  private constructor(front: Socket, options: ImpairmentRelayOptions) {
    this.#front = front;
    this.#options = options;
    front.on("message", (datagram, from) => this.#forward(datagram, from));
  }

  /** Listens on a free port of 127.0.0.1, or on the one given. */
  static async start(options: ImpairmentRelayOptions, port = 0): Promise<ImpairmentRelay> {
    const front = createSocket({ type: "udp4", recvBufferSize: BUFFER_BYTES });
    await new Promise<void>((resolve, reject) => {
      front.once("error", reject).bind(port, "127.0.0.1", resolve);
    });
    return new ImpairmentRelay(front, options);
  }

  get port(): number {
    return this.#front.address().port;
  }

  /** How many datagrams came from clients and how many of them were dropped. */
  get counts(): { readonly received: number; readonly dropped: number } {
    return { received: this.#received, dropped: this.#dropped };
  }

  close(): void {
    this.#front.close();
    for (const socket of this.#clients.values()) socket.close();
  }

  #forward(datagram: Buffer, from: RemoteInfo): void {
    this.#received++;
    const { delayEverySecondMs = 0, dropEvery = 0, target } = this.#options;
    if (dropEvery > 0 && this.#received % dropEvery === 0) {
      this.#dropped++;
      return;
    }
    const socket = this.#socketOf(from);
    const send = () => socket.send(datagram, target.port, target.address, () => undefined);
    if (delayEverySecondMs > 0 && ++this.#passed % 2 === 0) setTimeout(send, delayEverySecondMs);
    else send();
  }

  #socketOf(client: RemoteInfo): Socket {
    const key = `${client.address}:${client.port}`;
    let socket = this.#clients.get(key);
    if (!socket) {
      socket = createSocket({ type: "udp4", recvBufferSize: BUFFER_BYTES });
      socket.on("message", (answer) =>
        this.#front.send(answer, client.port, client.address, () => undefined),
      );
      socket.on("error", () => undefined);
      if (this.#clients.size === 0) socket.bind(this.#options.upstreamPort ?? 0, "127.0.0.1");
      this.#clients.set(key, socket);
    }
    return socket;
  }
}
