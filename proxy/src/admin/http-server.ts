// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Logger } from "../logger.ts";
import type { SocketAddress } from "../plan.ts";
import { type AdminContext, type AdminReply, type AdminRoute, BadRequest } from "./route.ts";

export interface HttpServerOptions {
  readonly address: SocketAddress;
  /** What is served, by path. */
  readonly routes: ReadonlyMap<string, AdminRoute>;
  readonly context: AdminContext;
  readonly logger: Logger;
}

/** A running HTTP server: the address that it got, and how to stop it. */
export interface HttpServer {
  readonly address: SocketAddress;
  close(): Promise<void>;
}

/** Serves routes of the admin interface at an address; rejects where it cannot be bound. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const server = createServer((request, response) => {
    void respond(options, request, response);
  });
  const { address, port } = options.address;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address, port }, resolve);
  });
  const bound = server.address() as AddressInfo;
  return { address: { address: bound.address, port: bound.port }, close: () => closeServer(server) };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    // Answers under way are short; connections kept open by clients are not waited for.
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 100).unref();
  });
}

async function respond(
  options: HttpServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // What a request carries besides its line is of no use here.
  request.resume();
  const { status = 200, contentType = "text/plain; charset=utf-8", body } = await answer(options, request);
  response.writeHead(status, {
    "content-type": contentType,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-cache, max-age=0",
    "x-content-type-options": "nosniff",
    ...(status === 405 ? { allow: "POST" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

async function answer(options: HttpServerOptions, request: IncomingMessage): Promise<AdminReply> {
  const { context, logger, routes } = options;
  const [path = "", query = ""] = splitOnce(request.url ?? "/", "?");
  const route = routes.get(path);
  if (route === undefined) return { status: 404, body: "no such path; GET / lists those there are\n" };
  if (route.method === "POST" && request.method !== "POST") {
    return { status: 405, body: `${route.path} changes something; use POST\n` };
  }
  try {
    return await route.handle({ query: new URLSearchParams(query), context, routes: [...routes.values()] });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof BadRequest) return { status: 400, body: `${message}\n` };
    logger.error({ path: route.path, error: message }, "the admin interface failed to answer");
    return { status: 500, body: `${message}\n` };
  }
}

function splitOnce(text: string, separator: string): readonly string[] {
  const index = text.indexOf(separator);
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + 1)];
}
