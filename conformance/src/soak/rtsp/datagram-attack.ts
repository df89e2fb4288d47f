// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { randomBytes, randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { setTimeout as delay } from "node:timers/promises";
import type { Attack } from "./attack.ts";

const PER_SECOND = 1_000;
const TURN_MS = 20;
const MOST_BYTES = 1_400;
/** Turns until the ports are looked up again: readers come and go. */
const LOOK_EVERY = 50;

/** Random bytes into every media port that the proxy has, some of which look like RTP or RTCP by chance. */
export const datagramAttack: Attack = {
  name: `random datagrams into media ports, ${PER_SECOND} a second`,
  run: async ({ host, udpPorts, isOver }) => {
    const socket = createSocket("udp4");
    let sent = 0;
    let ports: readonly number[] = [];
    const startedAt = performance.now();
    for (let turn = 0; !isOver(); turn++) {
      if (turn % LOOK_EVERY === 0) ports = udpPorts();
      // By the clock: a turn that comes late sends what it owes.
      const due = ((performance.now() - startedAt) * PER_SECOND) / 1000;
      for (; sent < due && ports.length > 0; sent++)
        socket.send(randomBytes(randomInt(MOST_BYTES)), ports[sent % ports.length]!, host, () => {});
      await delay(TURN_MS);
    }
    await new Promise<void>((resolve) => socket.close(resolve));
    return sent;
  },
};
