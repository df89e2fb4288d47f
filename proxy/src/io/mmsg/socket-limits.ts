// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";

/** However few files there may be: a worker that has to be replaced takes some ten, and connections want some as well. */
const LEAST_SPARE = 32;
const LEAST_SHARED = 16;
/** A file descriptor is an int. */
const NO_LIMIT = 0x7fff_ffff;

/** How much of what the system gives this process its sessions take. The kernel may refuse earlier. */
export interface SocketLimits {
  /** A socket that is a session's own has a file descriptor below this one; the lowest that is free is what a new one gets. */
  readonly ownBelow: number;
  /** The same for a socket that sessions share. What is above is for connections, flows and files. */
  readonly sharedBelow: number;
  /** The most sockets of sessions' own, over all workers: each takes an ephemeral port. */
  readonly mostOwn: number;
}

/** The limits of this process. Where the system does not tell, nothing but its own refusals bounds sessions. */
export function readSocketLimits(): SocketLimits {
  return socketLimits(read("/proc/self/limits"), read("/proc/sys/net/ipv4/ip_local_port_range"));
}

/** The limits by what stands in `/proc/self/limits` and `/proc/sys/net/ipv4/ip_local_port_range`, which is that of IPv6 as well. */
export function socketLimits(limits: string, portRange: string): SocketLimits {
  const files = Number(limits.match(/^Max open files\s+(\d+)/m)?.[1] ?? NO_LIMIT);
  const [, first, last] = portRange.match(/^(\d+)\s+(\d+)/) ?? [];
  const ports = first === undefined ? NO_LIMIT : Number(last) - Number(first) + 1;
  const sixteenth = Math.floor(files / 16);
  const sharedBelow = files - Math.max(sixteenth, LEAST_SPARE);
  return {
    ownBelow: sharedBelow - Math.max(sixteenth, LEAST_SHARED),
    sharedBelow,
    mostOwn: Math.floor((ports / 8) * 7),
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
