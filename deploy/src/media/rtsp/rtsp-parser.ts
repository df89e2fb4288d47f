// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { RtspHeaders, RtspItem } from "./rtsp-message.ts";

/** Longer messages are no RTSP of cameras and players; a stranger's bytes take no more memory than this. */
const MAX_HEAD_BYTES = 16_384;
const MAX_BODY_BYTES = 65_536;

const DOLLAR = 0x24;
const FRAME_HEADER_BYTES = 4;

/** Bytes that are no RTSP; the connection cannot be read on. */
export class RtspSyntaxError extends Error {}

/** Reads what comes over one connection, however it is cut. Memory is bounded by the limits above. */
export class RtspParser {
  #pending: Buffer = Buffer.alloc(0);

  /** Takes the next bytes and returns what became whole. Throws RtspSyntaxError. */
  push(chunk: Buffer): readonly RtspItem[] {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const items: RtspItem[] = [];
    for (;;) {
      this.#skipEmptyLines();
      const found = this.#pending[0] === DOLLAR ? readFrame(this.#pending) : readMessage(this.#pending);
      if (found === undefined) return items;
      items.push(found.item);
      this.#pending = this.#pending.subarray(found.length);
    }
  }

  /** RFC 2326 section 4.1: empty lines before a message are to be ignored. */
  #skipEmptyLines(): void {
    let at = 0;
    while (this.#pending[at] === 0x0d || this.#pending[at] === 0x0a) at++;
    if (at > 0) this.#pending = this.#pending.subarray(at);
  }
}

interface Found {
  readonly item: RtspItem;
  readonly length: number;
}

function readFrame(bytes: Buffer): Found | undefined {
  if (bytes.length < FRAME_HEADER_BYTES) return undefined;
  const length = FRAME_HEADER_BYTES + bytes.readUInt16BE(2);
  if (bytes.length < length) return undefined;
  // A copy: the payload outlives the chunk that it came in.
  const payload = Buffer.from(bytes.subarray(FRAME_HEADER_BYTES, length));
  return { item: { type: "frame", channel: bytes[1]!, payload }, length };
}

function readMessage(bytes: Buffer): Found | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end > MAX_HEAD_BYTES || (end < 0 && bytes.length > MAX_HEAD_BYTES)) {
    throw new RtspSyntaxError(`a head of more than ${MAX_HEAD_BYTES} bytes`);
  }
  if (end < 0) return undefined;
  const [startLine = "", ...lines] = bytes.toString("utf8", 0, end).split("\r\n");
  const headers = readHeaders(lines);
  const bodyLength = Number(headers.get("content-length") ?? 0);
  if (!Number.isInteger(bodyLength) || bodyLength < 0 || bodyLength > MAX_BODY_BYTES) {
    throw new RtspSyntaxError(`Content-Length ${headers.get("content-length")}`);
  }
  const bodyAt = end + 4;
  if (bytes.length < bodyAt + bodyLength) return undefined;
  const rest = { headers, body: Buffer.from(bytes.subarray(bodyAt, bodyAt + bodyLength)) };
  return { item: readStartLine(startLine, rest), length: bodyAt + bodyLength };
}

function readStartLine(
  line: string,
  rest: { readonly headers: RtspHeaders; readonly body: Buffer },
): RtspItem {
  const response = /^RTSP\/1\.\d (\d{3})(?: (.*))?$/.exec(line);
  if (response) {
    return { type: "response", status: Number(response[1]), reason: response[2] ?? "", ...rest };
  }
  const request = /^([A-Z_]+) (\S+) RTSP\/1\.\d$/.exec(line);
  if (request) return { type: "request", method: request[1]!, url: request[2]!, ...rest };
  throw new RtspSyntaxError(`the line ${JSON.stringify(line.slice(0, 80))}`);
}

function readHeaders(lines: readonly string[]): RtspHeaders {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon <= 0) throw new RtspSyntaxError(`the header line ${JSON.stringify(line.slice(0, 80))}`);
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    const known = headers.get(name);
    headers.set(name, known === undefined ? value : `${known}, ${value}`);
  }
  return headers;
}
