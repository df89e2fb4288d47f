// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { EchoEndpoint } from "./echo-endpoint.ts";
import { runSessionLoad } from "./session-load.ts";

const open: { close(): unknown }[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.close();
});

const load = { address: "127.0.0.1", sessions: 10, datagrams: 500, perSecond: 10_000 };

test("counts everything that comes back, and who answered", async () => {
  const endpoint = await EchoEndpoint.start("127.0.0.1", 2);
  open.push(endpoint);
  const result = await runSessionLoad({ ...load, port: endpoint.port });
  expect(result).toMatchObject({ returned: 500, corrupted: 0, crossed: 0 });
  expect(result.endpoints.every((answered) => answered.size === 1 && answered.has(2))).toBe(true);
  expect(endpoint.clients.size).toBe(10);
});

async function badServer(answer: (socket: Socket, datagram: Buffer, port: number) => void): Promise<number> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  socket.on("message", (datagram, from) => answer(socket, datagram, from.port));
  open.push(socket);
  return socket.address().port;
}

test("finds a damaged byte and a datagram that comes twice", async () => {
  let count = 0;
  const port = await badServer((socket, datagram, to) => {
    count++;
    if (count === 7) datagram[20] = datagram[20]! ^ 1;
    socket.send(datagram, to, "127.0.0.1");
    if (count === 9) socket.send(datagram, to, "127.0.0.1");
  });
  const { corrupted, crossed } = await runSessionLoad({ ...load, port });
  expect({ corrupted, crossed }).toEqual({ corrupted: 1, crossed: 1 });
});

test("finds datagrams that go to another session", async () => {
  let other: number | undefined;
  const port = await badServer((socket, datagram, from) => {
    other ??= from;
    socket.send(datagram, other, "127.0.0.1");
  });
  const { returned, crossed } = await runSessionLoad({ ...load, datagrams: 100, port });
  expect({ returned, crossed }).toEqual({ returned: 10, crossed: 90 });
});
