// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";

/** Finds so many UDP ports that are free now. All are held while looking, so no two are the same. */
export async function freeUdpPorts(count: number, address = "127.0.0.1"): Promise<readonly number[]> {
  const sockets = await Promise.all(
    Array.from({ length: count }, () => {
      const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
      return new Promise<typeof socket>((resolve, reject) => {
        socket.once("error", reject).bind(0, address, () => resolve(socket));
      });
    }),
  );
  const ports = sockets.map((socket) => socket.address().port);
  for (const socket of sockets) socket.close();
  return ports;
}
