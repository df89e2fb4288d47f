// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { connect, type Socket } from "node:net";
import { RtspConnection } from "./rtsp-connection.ts";
import { type FieldsToSend, formatRequest, type RtspItem, type RtspResponse } from "./rtsp-message.ts";

/** More of an explanation than this is not shown. */
const MAX_EXPLANATION_BYTES = 300;

/** An answer that says no. */
export class RtspStatusError extends Error {
  readonly status: number;

  constructor(method: string, url: string, response: RtspResponse) {
    super(`${method} ${url} was answered with ${response.status} ${response.reason}${explanation(response)}`);
    this.status = response.status;
  }
}

/** What the server says in plain text beside the status, in one line; empty where it says nothing. */
function explanation({ body }: RtspResponse): string {
  const text = body.toString("utf8", 0, MAX_EXPLANATION_BYTES).trim();
  return /^[\x20-\x7e]+$/.test(text) ? `: ${text}` : "";
}

const DEFAULT_PORT = 554;
const TIMEOUT_MS = 10_000;

/** The client's side of an RTSP connection: requests that are answered, and packets of media between. */
export class RtspClient {
  /** Resolves when the connection is gone; never rejects. */
  readonly ended: Promise<Error | undefined>;
  /** Takes the packets that come between the messages. */
  onFrame: (channel: number, payload: Buffer) => void = () => undefined;
  readonly #socket: Socket;
  readonly #connection: RtspConnection;
  readonly #waiting = new Map<string, (response: RtspResponse) => void>();
  #sequence = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    let end: (error: Error | undefined) => void = () => undefined;
    this.ended = new Promise((resolve) => {
      end = resolve;
    });
    this.#connection = new RtspConnection(socket, { onItem: (item) => this.#take(item), onClose: end });
  }

  /** Connects to the server of an `rtsp:` URL. Throws a RangeError for any other, and the error of the connection. */
  static async connect(url: string): Promise<RtspClient> {
    const { protocol, hostname, port } = new URL(url);
    if (protocol !== "rtsp:") throw new RangeError(`${url} is no rtsp: URL`);
    const host = hostname.replace(/^\[(.*)\]$/, "$1");
    const socket = connect(Number(port || DEFAULT_PORT), host);
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject).once("connect", resolve);
    });
    return new RtspClient(socket);
  }

  get localAddress(): string {
    return this.#connection.localAddress;
  }

  /** Sends a request. Throws RtspStatusError unless it is answered with 200, and after 10 s without an answer. */
  async request(method: string, url: string, fields: FieldsToSend, body = ""): Promise<RtspResponse> {
    const cseq = String(++this.#sequence);
    let timer: NodeJS.Timeout | undefined;
    const answered = new Promise<RtspResponse>((resolve) => this.#waiting.set(cseq, resolve));
    const failed = new Promise<never>((_resolve, reject) => {
      const fail = (why: string) => reject(new Error(`${method} ${url}: ${why}`));
      timer = setTimeout(() => fail(`no answer in ${TIMEOUT_MS} ms`), TIMEOUT_MS);
      void this.ended.then((error) => fail(error?.message ?? "the connection was closed"));
    });
    this.#connection.write(
      formatRequest(method, url, { CSeq: cseq, "User-Agent": "msm-viewer", ...fields }, body),
    );
    try {
      const response = await Promise.race([answered, failed]);
      if (response.status !== 200) throw new RtspStatusError(method, url, response);
      return response;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(cseq);
    }
  }

  /** Sends a packet of media between the messages. */
  sendFrame(channel: number, payload: Buffer): void {
    this.#connection.writeFrame(channel, payload, () => undefined);
  }

  close(): void {
    this.#connection.destroy();
  }

  /** Reads nothing more; what comes fills the system's buffers. */
  stall(): void {
    this.#socket.pause();
  }

  /** Closes with a reset instead of an end. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  #take(item: RtspItem): void {
    if (item.type === "frame") this.onFrame(item.channel, item.payload);
    else if (item.type === "response") this.#waiting.get(item.headers.get("cseq") ?? "")?.(item);
    // A server may ask whether we are alive.
    else this.#connection.write(Buffer.from(`RTSP/1.0 200 OK\r\nCSeq: ${item.headers.get("cseq")}\r\n\r\n`));
  }
}
