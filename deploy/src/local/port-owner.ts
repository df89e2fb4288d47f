// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createSocket } from "node:dgram";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";

type Transport = "tcp" | "udp";

/** Whether a port of loopback can be had now. */
export function isPortFree(transport: Transport, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    if (transport === "udp") {
      const socket = createSocket("udp4");
      socket.once("error", () => resolve(false));
      socket.bind(port, "127.0.0.1", () => socket.close(() => resolve(true)));
    } else {
      const server = createServer();
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    }
  });
}

/** Says who holds a port, `node (process 4711)`; "another process" where the system does not tell. */
export function portOwner(transport: Transport, port: number): string {
  try {
    const inodes = new Set([`${transport}`, `${transport}6`].flatMap((table) => socketInodes(table, port)));
    const owner = readdirSync("/proc").find((pid) => /^\d+$/.test(pid) && holdsSocket(pid, inodes));
    if (owner) return `${readFileSync(`/proc/${owner}/comm`, "utf8").trim()} (process ${owner})`;
  } catch {
    // No /proc, or none that may be read.
  }
  return "another process";
}

/** Reads /proc/net/udp and its like: `sl local_address rem_address st … inode`, addresses in hexadecimal. */
function socketInodes(table: string, port: number): readonly string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = readFileSync(`/proc/net/${table}`, "utf8").split("\n").slice(1);
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(suffix))
    .map((columns) => `socket:[${columns[9]}]`);
}

function holdsSocket(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).some((fd) => inodes.has(readlinkSync(`${folder}/${fd}`)));
  } catch {
    return false;
  }
}
