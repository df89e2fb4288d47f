// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { Server as GrpcServer, ServerCredentials } from "@grpc/grpc-js";
import type { ScenarioContext } from "../../runner/suite.ts";

/** Free TCP ports of the loopback; all are held while looking, so no two are the same. */
export async function freeTcpPorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(servers.map(listen));
  for (const server of servers) server.close();
  return ports;
}

/** A TCP server that greets with its name and then echoes. */
export async function startTcpBackend(context: ScenarioContext, name: string): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.write(`${name}\n`);
    socket.pipe(socket);
  });
  context.defer(() => server.close());
  return listen(server);
}

/** An HTTP server that answers with its name. */
export async function startHttpBackend(context: ScenarioContext, name: string): Promise<number> {
  const server = createHttpServer((_request, response) => void response.end(name));
  context.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return listen(server);
}

/** The method that gRPC clients call: bytes in, the server's name out. */
export const NAME_METHOD = "/conformance.Echo/Name";

/** A gRPC server that answers with its name. */
export async function startGrpcBackend(context: ScenarioContext, name: string): Promise<number> {
  const server = new GrpcServer();
  const bytes = (value: Buffer): Buffer => value;
  const definition = {
    name: {
      path: NAME_METHOD,
      requestStream: false,
      responseStream: false,
      requestSerialize: bytes,
      requestDeserialize: bytes,
      responseSerialize: bytes,
      responseDeserialize: bytes,
    },
  };
  server.addService(definition, {
    name: (_call: unknown, answer: (error: null, value: Buffer) => void) => answer(null, Buffer.from(name)),
  });
  context.defer(() => server.forceShutdown());
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}

/** Connects, and resolves with the greeting's name; throws when the connection fails or ends without one. */
export async function greeting(port: number): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.setTimeout(5000, () => socket.destroy(new Error("no greeting within 5 s")));
  try {
    let text = "";
    for await (const chunk of socket) {
      text += chunk;
      if (text.includes("\n")) return text.trim();
    }
    throw new Error("the connection ended without a greeting");
  } finally {
    socket.destroy();
  }
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}
