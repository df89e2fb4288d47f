// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { expect, test, vi } from "vitest";
import { ImpairmentRelay } from "./impairment-relay.ts";

async function bound(): Promise<Socket> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

test("drops every n-th datagram and passes the others, and all answers to the client they are for", async () => {
  const server = await bound();
  const seen: number[] = [];
  server.on("message", (datagram, from) => {
    seen.push(datagram[0]!);
    server.send(datagram, from.port, from.address);
  });
  const target = { address: "127.0.0.1", port: server.address().port };
  const relay = await ImpairmentRelay.start({ target, dropEvery: 4 });
  const client = await bound();
  const answers: number[] = [];
  client.on("message", (datagram) => answers.push(datagram[0]!));
  for (let index = 1; index <= 10; index++) client.send(Buffer.from([index]), relay.port, "127.0.0.1");
  const passed = [1, 2, 3, 5, 6, 7, 9, 10];
  await vi.waitFor(() => expect(answers).toEqual(passed));
  expect(seen).toEqual(passed);
  expect(relay.counts).toEqual({ received: 10, dropped: 2 });
  for (const socket of [server, client, relay]) socket.close();
});
