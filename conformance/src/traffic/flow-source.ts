// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

/** An RTP header, then the number of the stream and that of the datagram in it. */
export const FLOW_HEADER_BYTES = 20;
export const STREAM_AT = 12;
export const NUMBER_AT = 16;

/** Sends one RTP stream of numbered datagrams to a port of 127.0.0.1. */
export class FlowSource {
  readonly #socket: Socket;
  readonly #port: number;
  readonly #packet: Buffer;
  /** How many datagrams it sent; the next one has this number. */
  sent = 0;

  private constructor(socket: Socket, port: number, stream: number, bytes: number) {
    this.#socket = socket;
    this.#port = port;
    this.#packet = Buffer.alloc(bytes, stream & 0xff);
    this.#packet[0] = 0x80;
    this.#packet[1] = 96;
    this.#packet.writeUInt32BE(0x5eed0000 + stream, 8);
    this.#packet.writeUInt32BE(stream, STREAM_AT);
  }

  /** `stream` is below 65,536; datagrams have `bytes`, at least those of the headers. */
  static async start(port: number, stream: number, bytes = 200): Promise<FlowSource> {
    const socket = createSocket("udp4");
    // ICMP of a port that is closed at the end.
    socket.on("error", () => undefined);
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    return new FlowSource(socket, port, stream, bytes);
  }

  send(): void {
    const number = this.sent++;
    const packet = Buffer.from(this.#packet);
    packet.writeUInt16BE(number & 0xffff, 2);
    packet.writeUInt32BE((number * 450) >>> 0, 4);
    packet.writeUInt32BE(number, NUMBER_AT);
    this.#socket.send(packet, this.#port, "127.0.0.1");
  }

  close(): void {
    this.#socket.close();
  }
}
