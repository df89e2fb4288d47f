// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createSocket } from "node:dgram";
import type { SocketAddress } from "../plan.ts";

/**
 * Sends a datagram and resolves with the first answer that `isAnswer` takes. Rejects when the endpoint's host says
 * that nobody listens there (ICMP port unreachable), and when the signal is aborted.
 */
export function exchangeDatagram(
  { address, port }: SocketAddress,
  request: Uint8Array,
  isAnswer: (datagram: Buffer) => boolean,
  signal: AbortSignal,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    const onAbort = () => finish(() => reject(signal.reason));
    const finish = (settle: () => void): void => {
      signal.removeEventListener("abort", onAbort);
      socket.removeAllListeners("error").on("error", () => {});
      socket.close();
      settle();
    };
    socket.on("error", (error) => finish(() => reject(error)));
    socket.on("message", (datagram) => {
      if (isAnswer(datagram)) finish(() => resolve(datagram));
    });
    signal.addEventListener("abort", onAbort);
    // Only a connected socket hears of ICMP errors, and of nobody but the endpoint.
    socket.connect(port, address, () => socket.send(request));
  });
}
