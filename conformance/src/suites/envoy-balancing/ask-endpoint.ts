// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { until } from "@msm/deploy";

/** The number of the endpoint that answers a client of this address at a port of loopback. It asks until somebody does. */
export async function askEndpoint(source: string, port: number): Promise<number> {
  const socket = createSocket("udp4");
  let endpoint = 0;
  socket.on("error", () => undefined);
  socket.on("message", (datagram) => {
    endpoint = datagram[0]!;
  });
  socket.bind(0, source);
  await once(socket, "listening");
  const ask = () => socket.send(Buffer.alloc(4), port, "127.0.0.1", () => undefined);
  ask();
  const timer = setInterval(ask, 250);
  try {
    await until(`an endpoint answered ${source} at ${port}`, () => endpoint > 0, 10_000);
    return endpoint;
  } finally {
    clearInterval(timer);
    socket.close();
  }
}

/** The same for many clients, a few at a time. */
export async function askEndpoints(sources: readonly string[], port: number): Promise<readonly number[]> {
  const answers: number[] = [];
  const AT_ONCE = 25;
  for (let first = 0; first < sources.length; first += AT_ONCE) {
    const some = sources.slice(first, first + AT_ONCE).map((source) => askEndpoint(source, port));
    answers.push(...(await Promise.all(some)));
  }
  return answers;
}
