// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a path answers. */
export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** A path of the HTTP server with a sentence for the list at `/`. */
export interface HttpRoute {
  readonly path: string;
  readonly about: string;
  /** GET unless given; GET serves HEAD as well. */
  readonly method?: "POST";
  /** `body` is empty for GET. */
  answer(query: URLSearchParams, body: string): HttpAnswer | Promise<HttpAnswer>;
}

/** A listening HTTP server. */
export interface HttpServer {
  /** The address and port that it got. */
  readonly address: string;
  close(): Promise<void>;
}

// A request of ours is a few names; more is no request.
const MAX_BODY_BYTES = 1024 * 1024;

/** Serves routes. `address` is `host:port`; throws if it cannot be bound. */
export async function startHttpServer(address: string, routes: readonly HttpRoute[]): Promise<HttpServer> {
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    void answer(request, routes).then((result) => write(response, result));
  });
  const separator = address.lastIndexOf(":");
  const host = address.slice(0, separator).replace(/^\[|\]$/g, "");
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => {
      reject(new Error(`cannot listen on ${address} for HTTP: ${cause.message}`, { cause }));
    });
    server.listen(Number(address.slice(separator + 1)), host, resolve);
  });
  // A TCP server's address is always of this form.
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { address: `${address.slice(0, separator)}:${port}`, close };
}

/** A plain text answer. */
export function text(status: number, body: string): HttpAnswer {
  return { status, contentType: "text/plain; charset=utf-8", body };
}

/** An answer in JSON, indented for reading. */
export function json(value: unknown): HttpAnswer {
  return { status: 200, contentType: "application/json", body: `${JSON.stringify(value, null, 2)}\n` };
}

async function answer(request: IncomingMessage, routes: readonly HttpRoute[]): Promise<HttpAnswer> {
  const [path, query = ""] = (request.url ?? "/").split("?", 2);
  const list = routes.map((route) => `${route.path}\t${route.about}\n`).join("");
  const route = routes.find((candidate) => candidate.path === path);
  if (route === undefined && path !== "/") return text(404, `no such path; there are\n${list}`);
  const isRead = request.method === "GET" || request.method === "HEAD";
  if (route?.method === undefined ? !isRead : request.method !== route.method) {
    return text(405, `only ${route?.method ?? "GET"} is served\n`);
  }
  if (route === undefined) return text(200, list);
  try {
    const body = isRead ? "" : await bodyOf(request);
    if (body === undefined) return text(413, `a body of more than ${MAX_BODY_BYTES} bytes is not read\n`);
    return await route.answer(new URLSearchParams(query), body);
  } catch (error) {
    return text(500, `${error instanceof Error ? error.message : String(error)}\n`);
  }
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function write(response: ServerResponse, { status, contentType, body }: HttpAnswer): void {
  const length = status === 304 ? {} : { "content-length": Buffer.byteLength(body) };
  response.writeHead(status, { "content-type": contentType, ...length });
  response.end(response.req.method === "HEAD" ? undefined : body);
}
