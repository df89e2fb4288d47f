// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** USER_HZ: the unit of the times in /proc/PID/stat. */
const NS_PER_TICK = 1e7;
const STOP_LIMIT_MS = 3000;

/** A relay from port 7001 to port 7002, as a command. */
export interface Relay {
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** How long it takes to be ready. */
  readonly startMs: number;
  /** How long it is under load until its code is compiled; 2 seconds unless said. */
  readonly warmUpSeconds?: number;
  /** What it needs that is not here. */
  readonly missing?: string;
  /** Sets it up once it runs, and says to which ports to send; 7001 where there is nothing to do. */
  readonly connect?: () => Promise<readonly number[]>;
}

/** A relay that runs. */
export interface RunningRelay {
  readonly pid: number;
  /** Where it takes datagrams. */
  readonly ports: readonly number[];
  /** CPU, user and system, of all of its threads until now, in nanoseconds, ten milliseconds exact. */
  cpuNs(): number;
}

/** Starts `relay`, lets `use` work with it and ends it. Throws what `use` throws, with what the relay wrote as its errors. */
export async function withRelay<T>(relay: Relay, use: (running: RunningRelay) => Promise<T>): Promise<T> {
  const [command, ...args] = relay.command;
  const env = { ...process.env, ...relay.env };
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], env });
  let errors = "";
  child.stderr.on("data", (data: Buffer) => (errors = (errors + data.toString()).slice(-2000)));
  const gone = new Promise((resolve) => child.once("close", resolve));
  try {
    await sleep(relay.startMs);
    const ports = (await relay.connect?.()) ?? [7001];
    const pid = child.pid!;
    const result = await use({ pid, ports, cpuNs: () => cpuNs(pid) });
    if (child.exitCode !== null) throw new Error("it ended at once");
    return result;
  } catch (error) {
    throw new Error(`${relay.name}: ${error instanceof Error ? error.message : error} ${errors}`);
  } finally {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
    await gone;
    clearTimeout(timer);
  }
}

function cpuNs(pid: number): number {
  // Fields 14 and 15, counted from behind the program's name, which may hold spaces.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").pop()!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * NS_PER_TICK;
}
