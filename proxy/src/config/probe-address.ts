// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import type { SocketAddress } from "../plan.ts";
import { bindAdvice } from "./bind-advice.ts";
import { formatAddress } from "./read-address.ts";
import { refuse } from "./refuse.ts";

/**
 * Binds an address for a moment, without sharing it, to learn whether a listener could have it. A listener that
 * waits for its filters opens its sockets later, when its resource was accepted long ago; this tells the control
 * plane at once that a port is taken, as Envoy does. Throws `MSM_LISTENER_BIND`.
 */
export async function probeAddress(
  address: SocketAddress,
  field: string,
  protocol: "udp" | "tcp" = "udp",
): Promise<void> {
  try {
    await (protocol === "udp" ? bindDatagrams(address) : bindConnections(address));
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error));
    refuse(
      "MSM_LISTENER_BIND",
      field,
      `${formatAddress(address)} cannot be bound: ${cause.message}; ${bindAdvice(cause)}`,
    );
  }
}

function bindDatagrams({ address, port }: SocketAddress): Promise<void> {
  const socket = address.includes(":")
    ? createSocket({ type: "udp6", ipv6Only: true })
    : createSocket("udp4");
  return new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ address, port, exclusive: true }, resolve);
  }).finally(() => socket.close());
}

function bindConnections({ address, port }: SocketAddress): Promise<void> {
  const server = createServer();
  return new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address, port, ipv6Only: address.includes(":"), exclusive: true }, () =>
      // The port has to be free again before the listener wants it.
      server.close(() => resolve()),
    );
  });
}
