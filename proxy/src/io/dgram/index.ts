// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { ListenerPlan, SocketAddress } from "../../plan.ts";
import {
  type IoBackend,
  IoError,
  type MediaSocketOptions,
  type OpenListener,
  type OpenMediaSocket,
} from "../io-backend.ts";
import { DgramWorkerIo, socketOptions } from "./dgram-worker-io.ts";
import { applyMulticast } from "./multicast.ts";

/** `node:dgram` on the worker's event loop: runs everywhere Node does, at several times the cost. */
export const backend: IoBackend = {
  name: "dgram",
  priority: 1,
  // Node 20 cannot share a port between threads.
  maxConcurrency: 1,
  ringBytes: 0,
  unavailable: () => undefined,
  createWorkerHandle: () => ({ handle: null, eventfd: -1, wake() {}, close() {} }),
  openListener,
  openMediaSocket,
  createWorkerIo: (_handle, ring, sessions, legs) => new DgramWorkerIo(ring, sessions, legs),
};

async function openListener({ address }: ListenerPlan): Promise<OpenListener> {
  const { localAddress, receiveBufferBytes } = await tryPort(address);
  return { sockets: [localAddress], localAddress, receiveBufferBytes, close() {} };
}

async function openMediaSocket(options: MediaSocketOptions): Promise<OpenMediaSocket> {
  if (options.dscp !== undefined) throw new IoError("ENOTSUP", "DSCP with node:dgram");
  const { localAddress } = await tryPort(options.address, (socket) => applyMulticast(socket, options));
  return { socket: { ...options, address: localAddress }, localAddress, close() {} };
}

/** The worker binds; here the port is tried, so that a refusal is known at once and port 0 becomes a number. */
async function tryPort(
  address: SocketAddress,
  use: (socket: Socket) => void = () => {},
): Promise<{ readonly localAddress: SocketAddress; readonly receiveBufferBytes: number }> {
  const socket = createSocket(socketOptions(address.address));
  try {
    // Waited for before it is asked for: with a look-up that answers at once so does the bind.
    const listening = once(socket, "listening");
    socket.bind({ address: address.address, port: address.port, exclusive: true });
    await listening;
    use(socket);
    const localAddress: SocketAddress = { address: address.address, port: socket.address().port };
    return { localAddress, receiveBufferBytes: socket.getRecvBufferSize() };
  } catch (error) {
    if (error instanceof IoError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? "EIO";
    throw new IoError(code, `bind ${address.address} port ${address.port}`);
  } finally {
    const closed = once(socket, "close");
    socket.close();
    await closed;
  }
}
