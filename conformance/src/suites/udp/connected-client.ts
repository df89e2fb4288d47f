// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createSocket } from "node:dgram";
import { once } from "node:events";

const LIMIT_MS = 10_000;
/** The first datagrams may be lost to neighbour discovery. */
const AGAIN_MS = 200;

const [port = "", ...addresses] = process.argv.slice(2);
for (const address of addresses) console.log(`${address} ${await ask(address, Number(port))}`);

/** Sends a datagram to an address until one comes back from that very address, and says whether one did. */
async function ask(address: string, port: number): Promise<"answered" | "silent"> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.connect(port, address);
  await once(socket, "connect");
  const again = setInterval(() => socket.send("hello"), AGAIN_MS);
  const limit = AbortSignal.timeout(LIMIT_MS);
  try {
    await once(socket, "message", { signal: limit });
    return "answered";
  } catch (error) {
    if (limit.aborted) return "silent";
    throw error;
  } finally {
    clearInterval(again);
    socket.close();
  }
}
