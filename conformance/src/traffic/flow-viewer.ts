// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { FLOW_HEADER_BYTES, NUMBER_AT, STREAM_AT } from "./flow-source.ts";

const RECEIVE_BUFFER_BYTES = 4 << 20;

/** Receives what a `FlowSource` sent through a flow, and checks it datagram by datagram. */
export class FlowViewer {
  readonly port: number;
  readonly #socket: Socket;
  readonly #stream: number;
  received = 0;
  /** Of another stream, or of none. */
  crossed = 0;
  /** Numbers that were left out, and datagrams whose number did not grow. */
  missing = 0;
  repeated = 0;
  /** Changes of SSRC, of the sender's port, or of what was added to the sequence number of the source. */
  breaks = 0;
  /** May be set to 0, to find the longest from then on. */
  longestGapMs = 0;
  #lastNumber = -1;
  #lastMs = 0;
  #identity = "";

  private constructor(socket: Socket, stream: number) {
    this.#socket = socket;
    this.#stream = stream;
    this.port = socket.address().port;
    socket.on("message", (datagram, from) => this.#onDatagram(datagram, from));
  }

  /** Receives at 127.0.0.1, or at another address of this host. */
  static async start(stream: number, address = "127.0.0.1"): Promise<FlowViewer> {
    const socket = createSocket({ type: "udp4", recvBufferSize: RECEIVE_BUFFER_BYTES });
    socket.bind(0, address);
    await once(socket, "listening");
    return new FlowViewer(socket, stream);
  }

  close(): void {
    this.#socket.close();
  }

  #onDatagram(datagram: Buffer, from: RemoteInfo): void {
    const now = performance.now();
    this.received++;
    if (this.#lastMs > 0) this.longestGapMs = Math.max(this.longestGapMs, now - this.#lastMs);
    this.#lastMs = now;
    if (datagram.length < FLOW_HEADER_BYTES || datagram.readUInt32BE(STREAM_AT) !== this.#stream) {
      this.crossed++;
      return;
    }
    const number = datagram.readUInt32BE(NUMBER_AT);
    if (number <= this.#lastNumber) this.repeated++;
    else if (this.#lastNumber >= 0) this.missing += number - this.#lastNumber - 1;
    this.#lastNumber = Math.max(this.#lastNumber, number);
    const shift = (datagram.readUInt16BE(2) - number) & 0xffff;
    const identity = `${datagram.readUInt32BE(8)} ${from.port} ${shift}`;
    if (this.#identity !== "" && identity !== this.#identity) this.breaks++;
    this.#identity = identity;
  }
}
