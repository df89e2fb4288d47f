// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { randomBytes, randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { type Attack, leave, open, type Target } from "./attack.ts";

const MEBIBYTE = 2 ** 20;
const ANSWER_MS = 1_000;
/** Between two of a kind: the machine is also the one that counts what is lost. */
const PAUSE_MS = 20;
const DRIPPING = 50;
const DRIP_MS = 250;
const MOST_CONNECTIONS = 10_000;
const CONNECTIONS_AT_ONCE = 200;
const HELD_MS = 2_000;

/** Bytes that no protocol has. */
const garbage: Attack = {
  name: "garbage",
  run: (target) => again(target, () => say(target, randomBytes(randomInt(1, 65_536)))),
};

/** A request of which a part comes, and then an end, a reset, or nothing. */
const halfRequests: Attack = {
  name: "half requests",
  run: (target) =>
    again(target, () => {
      const request = `DESCRIBE ${target.url} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n`;
      return say(target, Buffer.from(request.slice(0, randomInt(1, request.length))));
    }),
};

/** A header of a mebibyte. */
const longHeaders: Attack = {
  name: "headers of 1 MiB",
  run: (target) =>
    again(target, () => {
      const head = `OPTIONS ${target.url} RTSP/1.0\r\nCSeq: 1\r\nX-Long: `;
      return say(target, Buffer.from(head + "x".repeat(MEBIBYTE)));
    }),
};

/** Requests that come byte by byte, each on a connection of its own, for as long as the proxy bears it. */
const slowLoris: Attack = {
  name: "requests byte by byte",
  run: async (target) => {
    const counts = Array.from({ length: DRIPPING }, () => again(target, () => drip(target)));
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  },
};

/** As many connections as one listener takes, and all of them gone at once. */
const manyConnections: Attack = {
  name: `waves of ${MOST_CONNECTIONS} connections`,
  run: (target) =>
    again(target, async () => {
      const sockets = [];
      while (sockets.length < MOST_CONNECTIONS && !target.isOver())
        sockets.push(...(await Promise.all(Array.from({ length: CONNECTIONS_AT_ONCE }, () => open(target)))));
      await delay(HELD_MS);
      for (const socket of sockets) socket?.resetAndDestroy();
      await delay(HELD_MS);
    }),
};

/** All that clients do to the signalling port. */
export const connectionAttacks: readonly Attack[] = [
  garbage,
  halfRequests,
  longHeaders,
  slowLoris,
  manyConnections,
];

async function again({ isOver }: Target, once: () => Promise<void>): Promise<number> {
  let count = 0;
  for (; !isOver(); count++) {
    await once();
    await delay(PAUSE_MS);
  }
  return count;
}

async function say(target: Target, bytes: Uint8Array): Promise<void> {
  const socket = await open(target);
  if (socket === undefined) return;
  const choice = randomInt(3);
  if (choice === 0) socket.end(bytes);
  else socket.write(bytes, () => choice === 1 && socket.resetAndDestroy());
  await leave(socket, ANSWER_MS);
}

async function drip(target: Target): Promise<void> {
  const socket = await open(target);
  if (socket === undefined) return;
  const request = `OPTIONS ${target.url} RTSP/1.0\r\nCSeq: 1\r\nX-Never: ${"x".repeat(1_000)}`;
  for (let i = 0; i < request.length && !socket.closed && !target.isOver(); i++) {
    socket.write(request[i]!);
    await delay(DRIP_MS);
  }
  socket.resetAndDestroy();
}
