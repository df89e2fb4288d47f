// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

/** Addresses that nobody has (RFC 5737). */
const NEAR_ADDRESS = "198.51.100.1";
const FAR_ADDRESS = "198.51.100.2";
/** The namespace is gone after so long, whatever becomes of this process. */
const LIFE_SECONDS = 180;

/** A link to a network namespace of its own: another machine, as far as IP goes. */
export interface NetworkLink {
  /** The address of this end. */
  readonly nearAddress: string;
  /** Give this end and the far one further addresses, `address/bits`. */
  addNear(address: string): void;
  addFar(address: string): void;
  /** What is put before a command that is to run at the far end. */
  readonly enter: readonly [command: string, ...args: string[]];
  /** Takes the far end down, as a cable that is pulled: nobody is told. */
  cut(): void;
  close(): Promise<void>;
}

/** What this machine lacks for a link, or undefined. */
export function whyNoLink(): string | undefined {
  if (process.getuid?.() !== 0) return "root, for a network namespace";
  if (spawnSync("unshare", ["-n", "true"]).status !== 0) return "the right to make a network namespace";
  const name = nearName();
  if (spawnSync("ip", ["link", "add", name, "type", "veth"]).status !== 0)
    return "ip(8) and the right to add a link";
  execFileSync("ip", ["link", "del", name]);
  return undefined;
}

/** Makes a namespace and a link to it. */
export async function openNetworkLink(): Promise<NetworkLink> {
  // The namespace exists for as long as this process of it does.
  const holder = spawn("unshare", ["-n", "sh", "-c", `echo; exec sleep ${LIFE_SECONDS}`], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const close = async (): Promise<void> => {
    // With the namespace goes its device, and with that the other end.
    const gone = once(holder, "exit");
    holder.kill("SIGKILL");
    await gone;
  };
  await once(holder.stdout, "data");
  const enter = ["nsenter", "-t", String(holder.pid), "-n"] as const;
  const near = nearName();
  const ip = (...args: string[]) => execFileSync("ip", args);
  const ipAtFar = (...args: string[]) => execFileSync(enter[0], [...enter.slice(1), "ip", ...args]);
  try {
    ip("link", "add", near, "type", "veth", "peer", "name", "far", "netns", String(holder.pid));
    ip("addr", "add", `${NEAR_ADDRESS}/30`, "dev", near);
    ip("link", "set", near, "up");
    ipAtFar("addr", "add", `${FAR_ADDRESS}/30`, "dev", "far");
    ipAtFar("link", "set", "far", "up");
  } catch (error) {
    await close();
    throw error;
  }
  return {
    nearAddress: NEAR_ADDRESS,
    addNear: (address) => void ip("addr", "add", address, "dev", near, ...withoutWaiting(address)),
    addFar: (address) => void ipAtFar("addr", "add", address, "dev", "far", ...withoutWaiting(address)),
    enter,
    cut: () => void ipAtFar("link", "set", "far", "down"),
    close,
  };
}

/** IPv6 would look for duplicates for a second or two (RFC 4862 section 5.4); nobody else is here. */
function withoutWaiting(address: string): readonly string[] {
  return address.includes(":") ? ["nodad"] : [];
}

/** Names of devices have at most 15 characters. */
function nearName(): string {
  return `msm-${process.pid}`;
}
