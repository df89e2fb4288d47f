// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createSocket } from "node:dgram";
import type { SocketAddress } from "../plan.ts";
import { formatAddress } from "./read-address.ts";
import { refuse } from "./refuse.ts";

/**
 * Binds an address for a moment, without sharing it, to learn whether a listener could have it. A listener that
 * waits for its filters opens its sockets later, when its resource was accepted long ago; this tells the control
 * plane at once that a port is taken, as Envoy does. Throws `MSM_LISTENER_BIND`.
 */
export async function probeAddress(address: SocketAddress, field: string): Promise<void> {
  const isIpv6 = address.address.includes(":");
  const socket = isIpv6 ? createSocket({ type: "udp6", ipv6Only: true }) : createSocket("udp4");
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind({ address: address.address, port: address.port, exclusive: true }, resolve);
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    refuse(
      "MSM_LISTENER_BIND",
      field,
      `${formatAddress(address)} cannot be bound: ${reason}; use another port`,
    );
  } finally {
    socket.close();
  }
}
