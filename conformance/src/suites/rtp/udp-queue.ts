// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { until } from "@msm/deploy";

/**
 * Waits until the processes that own these UDP ports have read everything that arrived there. ffmpeg reads RTCP before
 * RTP, so a goodbye that is sent while pictures wait in the socket would cut them off.
 */
export async function socketsDrained(ports: readonly number[]): Promise<void> {
  let emptyInARow = 0;
  await until("the sockets were empty", () => {
    emptyInARow = queuedBytes(ports) === 0 ? emptyInARow + 1 : 0;
    // What leaves one socket may still be on its way to the next.
    return emptyInARow >= 3;
  });
}

/** Sums rx_queue of /proc/net/udp: `sl local_address rem_address st tx_queue:rx_queue …`, all in hexadecimal. */
function queuedBytes(ports: readonly number[]): number {
  const suffixes = ports.map((port) => `:${port.toString(16).toUpperCase().padStart(4, "0")}`);
  const rows = readFileSync("/proc/net/udp", "utf8").split("\n").slice(1);
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter((columns) => suffixes.some((suffix) => columns[1]?.endsWith(suffix)))
    .reduce((total, columns) => total + Number.parseInt(columns[4]!.split(":")[1]!, 16), 0);
}
