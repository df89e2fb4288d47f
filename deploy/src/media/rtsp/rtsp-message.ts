// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** Header fields by their name in lower case; of a field that stands twice the values are joined by a comma. */
export type RtspHeaders = ReadonlyMap<string, string>;

/** A request (RFC 2326 section 6). */
export interface RtspRequest {
  readonly type: "request";
  readonly method: string;
  readonly url: string;
  readonly headers: RtspHeaders;
  readonly body: Buffer;
}

/** A response (section 7). */
export interface RtspResponse {
  readonly type: "response";
  readonly status: number;
  readonly reason: string;
  readonly headers: RtspHeaders;
  readonly body: Buffer;
}

/** A packet of media between the messages (section 10.12). */
export interface InterleavedFrame {
  readonly type: "frame";
  readonly channel: number;
  readonly payload: Buffer;
}

/** What goes over a connection, either way. */
export type RtspItem = RtspRequest | RtspResponse | InterleavedFrame;

/** Header fields to send, by the name as it is written; what is undefined is left out. */
export type FieldsToSend = Readonly<Record<string, string | number | undefined>>;

/** Writes a request. */
export function formatRequest(method: string, url: string, fields: FieldsToSend, body = ""): Buffer {
  return formatMessage(`${method} ${url} RTSP/1.0`, fields, body);
}

/** Writes a response; the reason is that of section 7.1.1 where it is not said. */
export function formatResponse(status: number, fields: FieldsToSend, body = ""): Buffer {
  return formatMessage(`RTSP/1.0 ${status} ${reasons[status] ?? "Unknown"}`, fields, body);
}

/** Writes a packet of media as `$`, channel, length, bytes. */
export function formatFrame(channel: number, payload: Buffer): Buffer {
  const header = Buffer.from([0x24, channel, 0, 0]);
  header.writeUInt16BE(payload.length, 2);
  return Buffer.concat([header, payload]);
}

const reasons: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  404: "Not Found",
  451: "Parameter Not Understood",
  454: "Session Not Found",
  455: "Method Not Valid in This State",
  459: "Aggregate Operation Not Allowed",
  461: "Unsupported Transport",
  501: "Not Implemented",
  503: "Service Unavailable",
};

function formatMessage(startLine: string, fields: FieldsToSend, body: string): Buffer {
  const payload = Buffer.from(body, "utf8");
  const lines = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}`);
  if (payload.length > 0) lines.push(`Content-Length: ${payload.length}`);
  return Buffer.concat([Buffer.from(`${[startLine, ...lines].join("\r\n")}\r\n\r\n`, "utf8"), payload]);
}
