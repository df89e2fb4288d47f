// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { connect } from "node:net";
import type { SocketAddress } from "../plan.ts";

/** An endpoint that sends more than this before it has answered is not the one that was meant. */
const MAX_ANSWER_BYTES = 65_536;

/**
 * Connects, sends, and resolves with what came once `isAnswer` takes it; at once where that takes nothing at all.
 * Rejects when the connection fails or ends before, and when the signal is aborted.
 */
export function exchangeStream(
  { address, port }: SocketAddress,
  request: Uint8Array,
  isAnswer: (received: Buffer) => boolean,
  signal: AbortSignal,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    let received = Buffer.alloc(0);
    const socket = connect(port, address);
    const onAbort = () => finish(() => reject(signal.reason));
    const finish = (settle: () => void): void => {
      signal.removeEventListener("abort", onAbort);
      socket.removeAllListeners().on("error", () => {});
      socket.destroy();
      settle();
    };
    const take = (data: Buffer): void => {
      received = Buffer.concat([received, data]);
      if (isAnswer(received)) finish(() => resolve(received));
      else if (received.length > MAX_ANSWER_BYTES) finish(() => reject(new Error("the answer is too long")));
    };
    socket.on("error", (error) => finish(() => reject(error)));
    socket.on("end", () => finish(() => reject(new Error("the connection was closed before an answer"))));
    socket.on("data", take);
    socket.on("connect", () => {
      if (request.length > 0) socket.write(request);
      take(Buffer.alloc(0));
    });
    signal.addEventListener("abort", onAbort);
  });
}
