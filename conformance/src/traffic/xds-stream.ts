// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { IncomingHttpHeaders } from "node:http";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";

/** Where an xDS server listens, and what it is asked for. */
export interface XdsStreamOptions {
  readonly port: number;
  readonly variant: "sotw" | "delta";
  /** PEM of the authority that signed the server's certificate; plain text without. */
  readonly ca?: string;
  /** Called with each whole message of the server. */
  onMessage(stream: XdsStream, message: Buffer): void;
  /** Called once, when the stream is over and was not closed by us. */
  onEnd(stream: XdsStream, reason: string): void;
}

const METHODS = { sotw: "StreamAggregatedResources", delta: "DeltaAggregatedResources" };
const HEAD_BYTES = 5;

/**
 * One aggregated stream on a connection of its own: gRPC as bytes over HTTP/2, without a library's cost, so that
 * thousands of them leave a core to the server that is measured, and so that they can break the protocol.
 */
export class XdsStream {
  readonly session: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  readonly #options: XdsStreamOptions;
  #rest: Buffer | undefined;
  #isOver = false;

  constructor(options: XdsStreamOptions) {
    this.#options = options;
    const { port, ca, variant } = options;
    this.session =
      ca === undefined
        ? connect(`http://127.0.0.1:${port}`)
        : connect(`https://localhost:${port}`, { ca, host: "127.0.0.1", servername: "localhost" });
    this.session.on("error", (error) => this.#end(error.message));
    this.session.on("close", () => this.#end("the connection was closed"));
    this.#stream = this.session.request(
      {
        ":method": "POST",
        ":path": `/envoy.service.discovery.v3.AggregatedDiscoveryService/${METHODS[variant]}`,
        "content-type": "application/grpc",
        te: "trailers",
      },
      { endStream: false },
    );
    this.#stream.on("data", (chunk: Buffer) => this.#take(chunk));
    this.#stream.on("trailers", (trailers) => this.#takeStatus(trailers));
    // A server that has nothing to say but the status says it in the headers.
    this.#stream.on("response", (headers) => this.#takeStatus(headers));
    this.#stream.on("error", (error) => this.#end(error.message));
    this.#stream.on("close", () => this.#end("the stream was closed"));
  }

  /** Sends a serialised request. */
  send(message: Uint8Array): void {
    const frame = Buffer.allocUnsafe(HEAD_BYTES + message.length);
    frame[0] = 0;
    frame.writeUInt32BE(message.length, 1);
    frame.set(message, HEAD_BYTES);
    this.sendRaw(frame);
  }

  /** Sends bytes as they are, whatever they mean to gRPC. */
  sendRaw(bytes: Uint8Array): void {
    if (!this.#isOver) this.#stream.write(bytes);
  }

  /** Reads nothing more: flow control fills up at the server. */
  pause(): void {
    this.#stream.pause();
  }

  /** Cuts the connection. */
  cut(): void {
    this.#isOver = true;
    this.#stream.close(constants.NGHTTP2_CANCEL);
    this.session.destroy();
  }

  #takeStatus(headers: IncomingHttpHeaders): void {
    const status = headers["grpc-status"];
    if (status !== undefined) this.#end(`status ${status}: ${headers["grpc-message"]}`);
  }

  #take(chunk: Buffer): void {
    let data = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    while (data.length >= HEAD_BYTES) {
      const end = HEAD_BYTES + data.readUInt32BE(1);
      if (data.length < end) break;
      this.#options.onMessage(this, data.subarray(HEAD_BYTES, end));
      data = data.subarray(end);
    }
    this.#rest = data.length === 0 ? undefined : data;
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.session.destroy();
    this.#options.onEnd(this, reason);
  }
}
