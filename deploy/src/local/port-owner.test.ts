// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { isPortFree, portOwner } from "./port-owner.ts";

test("tells a UDP port that is taken, and which process has it", async () => {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  expect(await isPortFree("udp", port)).toBe(false);
  expect(portOwner("udp", port)).toContain(`(process ${process.pid})`);
  socket.close();
  await once(socket, "close");
  expect(await isPortFree("udp", port)).toBe(true);
});

test("tells a TCP port that is taken", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  expect(await isPortFree("tcp", port)).toBe(false);
  expect(portOwner("tcp", port)).toContain(String(process.pid));
  server.close();
});
