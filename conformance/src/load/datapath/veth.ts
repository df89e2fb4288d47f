// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawn, spawnSync } from "node:child_process";

/** This end of the pair, and the end in the other network namespace. */
export const NEAR_ADDRESS = "10.77.0.1";
export const FAR_ADDRESS = "10.77.0.2";
const NEAR = "msm-near";
const FAR = "msm-far";
const LIFE_SECONDS = "3600";

/** Why there can be no second network namespace here, or undefined where there can. */
export function whyNoVeth(): string | undefined {
  if (process.env.MSM_BENCH_NAMESPACE === undefined)
    return "it needs root and a network namespace of its own";
  const made = spawnSync("ip", ["link", "add", NEAR, "type", "veth", "peer", "name", FAR]);
  if (made.status !== 0) return "it needs ip(8) and veth";
  execFileSync("ip", ["link", "del", NEAR]);
  return undefined;
}

/** A pair of veth devices while `use` runs; `enter` is what is put before a command to be run at the far end. */
export async function withVeth<T>(
  use: (far: { readonly enter: readonly string[] }) => Promise<T>,
): Promise<T> {
  // The namespace exists for as long as this process of it does.
  const holder = spawn("unshare", ["-n", "sh", "-c", `echo; exec sleep ${LIFE_SECONDS}`], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    await new Promise((resolve) => holder.stdout.once("data", resolve));
    const pid = String(holder.pid);
    const enter = ["nsenter", "-t", pid, "-n"];
    const ip = (...args: string[]) => execFileSync("ip", args);
    const ipAtFar = (...args: string[]) => execFileSync("nsenter", [...enter.slice(1), "ip", ...args]);
    ip("link", "add", NEAR, "type", "veth", "peer", "name", FAR, "netns", pid);
    ip("addr", "add", `${NEAR_ADDRESS}/24`, "dev", NEAR);
    ip("link", "set", NEAR, "up");
    ipAtFar("addr", "add", `${FAR_ADDRESS}/24`, "dev", FAR);
    ipAtFar("link", "set", FAR, "up");
    return await use({ enter });
  } finally {
    // With the namespace goes its device, and with that the other end.
    const gone = new Promise((resolve) => holder.once("exit", resolve));
    holder.kill("SIGKILL");
    await gone;
  }
}
