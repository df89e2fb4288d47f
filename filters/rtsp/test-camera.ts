// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { SignallingHarness, TestPeer } from "@msm/filter-sdk/testing";

/** What a camera says to a request: status and fields, or null for nothing at all. */
export type CameraAnswer = (request: CameraRequest) => string | null;

/** A request as a camera got it. */
export interface CameraRequest {
  readonly method: string;
  readonly url: string;
  readonly head: string;
  readonly sequence: string;
}

/** The description of a stream with video and audio, relative to its URL. */
export function description(name: string): string {
  const lines = [
    "v=0",
    "o=- 1 1 IN IP4 198.51.100.1",
    `s=${name}`,
    "c=IN IP4 0.0.0.0",
    "t=0 0",
    "a=control:*",
  ];
  lines.push("m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000", "a=control:stream=0");
  lines.push("m=audio 0 RTP/AVP 0", "a=control:stream=1");
  return `${lines.join("\r\n")}\r\n`;
}

/** Servers behind a proxy under test that accept every connection, and answer as a camera does unless told otherwise. */
export class TestCameras {
  /** Every request that came, with the number of its connection. */
  readonly requests: (CameraRequest & { readonly stream: number })[] = [];
  /** Replaces the usual answer where it returns something. */
  answer: CameraAnswer = () => null;
  /** Whether new connections are accepted. */
  isThere = true;
  readonly #proxy: SignallingHarness;
  #nextPort = 7_000;

  constructor(proxy: SignallingHarness) {
    this.#proxy = proxy;
  }

  /** Answers all that is asked, until nothing more is. */
  serve(): void {
    for (let i = 0; i < this.#proxy.streams.length; i++) {
      const stream = this.#proxy.streams[i]!;
      if (!this.#seen.has(stream)) this.#begin(stream);
      if (stream.isGone || stream.closed !== null) continue;
      this.#answerAll(stream, i);
    }
    if (this.#isMore()) this.serve();
  }

  /** Sends a request of a client, serves what comes of it, and returns what the client gets. */
  ask(client: TestPeer, request: string): string {
    client.send(request);
    for (let turn = 0; turn < 10; turn++) {
      this.serve();
      this.#proxy.advance(1, 1);
    }
    return client.take();
  }

  /** Lets time pass, with the cameras alive. */
  pass(ms: number): void {
    for (let left = ms; left > 0; left -= 1_000) {
      this.#proxy.advance(Math.min(left, 1_000), 250);
      this.serve();
    }
  }

  /** Methods of the requests of one connection. */
  methods(stream = 0): readonly string[] {
    return this.requests.filter((one) => one.stream === stream).map(({ method }) => method);
  }

  readonly #seen = new Set<TestPeer>();

  #begin(stream: TestPeer): void {
    this.#seen.add(stream);
    if (stream.closed !== null) return;
    if (this.isThere) stream.accept();
    else stream.refuse();
  }

  #isMore(): boolean {
    return this.#proxy.streams.some((stream) => !this.#seen.has(stream));
  }

  #answerAll(stream: TestPeer, index: number): void {
    for (let text = stream.take(); text !== ""; text = stream.take()) {
      for (const part of text.split(/\r\n\r\n(?=[A-Z_]+ )|\r\n\r\n$/).filter((one) => one !== "")) {
        const request = parse(part);
        this.requests.push({ ...request, stream: index });
        const answer = this.answer(request) ?? this.#usual(request);
        if (answer !== "") stream.send(answer.replace("\r\n", `\r\nCSeq: ${request.sequence}\r\n`));
      }
    }
  }

  #usual({ method, url, head }: CameraRequest): string {
    if (method === "DESCRIBE") {
      const body = description(url);
      const fields = `Content-Type: application/sdp\r\nContent-Base: ${url}/\r\nContent-Length: ${body.length}`;
      return `RTSP/1.0 200 OK\r\n${fields}\r\n\r\n${body}`;
    }
    if (method === "SETUP") {
      this.#nextPort += 2;
      return setupAnswer(head, this.#nextPort);
    }
    if (method === "OPTIONS") return "RTSP/1.0 200 OK\r\nPublic: OPTIONS, GET_PARAMETER\r\n\r\n";
    return "RTSP/1.0 200 OK\r\nSession: camera\r\n\r\n";
  }
}

function setupAnswer(head: string, port: number): string {
  const transport = fieldOf(head, "Transport");
  const ports = transport.includes("interleaved") ? "" : `;server_port=${port}-${port + 1}`;
  return `RTSP/1.0 200 OK\r\nSession: camera;timeout=60\r\nTransport: ${transport}${ports}\r\n\r\n`;
}

/** The value of a field in a message; empty where there is none. */
export function fieldOf(message: string, name: string): string {
  return new RegExp(`^${name}: (.*)$`, "im").exec(message)?.[1]?.trim() ?? "";
}

/** A request as text; the sequence number is always the same. */
export function request(method: string, url: string, ...fields: readonly string[]): string {
  return [`${method} ${url} RTSP/1.0`, "CSeq: 7", ...fields, "", ""].join("\r\n");
}

/** The status of an answer. */
export function statusOf(answer: string): number {
  return Number(/^RTSP\/1\.0 (\d{3})/.exec(answer)?.[1]);
}

function parse(head: string): CameraRequest {
  const [method = "", url = ""] = head.split(" ");
  return { method, url, head, sequence: fieldOf(head, "CSeq") };
}
