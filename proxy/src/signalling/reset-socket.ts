// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Socket } from "node:net";

/**
 * Ends a connection at once; the peer is told by a reset where the system still can. libuv refuses to reset what is being
 * shut down, and Node then never lets go of the socket: its thread could not end.
 */
export function resetSocket(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
