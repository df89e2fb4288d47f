// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { connect, type Socket } from "node:net";

/** What is attacked. */
export interface Target {
  readonly host: string;
  readonly port: number;
  /** The URL of a stream that exists. */
  readonly url: string;
  /** The proxy's UDP ports, as of now. */
  readonly udpPorts: () => readonly number[];
  /** Whether it is time to end. */
  readonly isOver: () => boolean;
}

/** One way to be a nuisance: goes on until it is over, and returns how often it did it. */
export interface Attack {
  readonly name: string;
  run(target: Target): Promise<number>;
}

/** Connects; undefined where that was refused. Errors of the connection show by its end alone. */
export function open({ host, port }: Target): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.on("error", () => {});
    socket.once("connect", () => resolve(socket)).once("close", () => resolve(undefined));
    // What comes is of no interest, but its end is only told to who reads.
    socket.resume();
  });
}

/** Waits until the peer ended the connection, or for so long, and is gone with a reset: nothing of it is left in the system. */
export async function leave(socket: Socket, patienceMs: number): Promise<void> {
  if (!socket.closed) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patienceMs);
      socket.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
  socket.resetAndDestroy();
}
