// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
/** USER_HZ: the unit of the times in /proc/PID/stat. */
const NS_PER_TICK = 1e7;
/** Everything a measurement starts ends by itself or is ended; no program runs longer. */
const PROGRAM_LIMIT_MS = 60_000;

/** A relay from 127.0.0.1:7001 to 127.0.0.1:7002, as a command. */
export interface Relay {
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
  /** How long it takes to be ready. */
  readonly startMs: number;
  /** How long it is under load until its code is compiled; 2 seconds unless said. */
  readonly warmUpSeconds?: number;
}

/** The traffic to measure it with; the generator's own words, see conformance/load/gen.c. */
export interface Load {
  readonly packetsPerSecond: number;
  readonly bytes: number;
  readonly flows: number;
  /** Datagrams per flow and turn. */
  readonly burst: number;
  /** Whether a burst leaves as one segmented send, and the sink takes runs (UDP_SEGMENT, UDP_GRO). */
  readonly segmented: boolean;
  readonly seconds: number;
  /** How many of each datagram should arrive, at addresses 127.0.1.1 and up; 1, at 127.0.0.1, unless said. */
  readonly copies?: number;
  /** Whether the sink takes datagrams one by one, as players do; it takes runs unless said. */
  readonly ordinarySink?: boolean;
}

/** What one measurement found. */
export interface RelayCost {
  readonly nsPerDatagram: number;
  readonly sent: number;
  readonly lost: number;
}

/**
 * CPU, user and system, of all of the relay's threads per datagram that arrived, while `load` lasts. The relay is
 * warmed up with the same load. Throws where it ended early, passed nothing on or mixed streams.
 */
export async function measureRelay(
  relay: Relay,
  load: Load,
  program: (name: string) => string,
): Promise<RelayCost> {
  const [command, ...args] = relay.command;
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
  let errors = "";
  child.stderr.on("data", (data: Buffer) => (errors = (errors + data.toString()).slice(-2000)));
  const gone = new Promise((resolve) => child.once("close", resolve));
  try {
    await sleep(relay.startMs);
    await offer(load, relay.warmUpSeconds ?? 2, program);
    if (child.exitCode !== null) throw new Error(`${relay.name} ended at once: ${errors}`);
    const before = cpuTicks(child);
    const { sent, received } = await offer(load, load.seconds, program);
    const ticks = cpuTicks(child) - before;
    if (received === 0) throw new Error(`${relay.name} passed nothing on: ${errors}`);
    return { nsPerDatagram: (ticks * NS_PER_TICK) / received, sent, lost: sent - received };
  } finally {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 3000);
    await gone;
    clearTimeout(timer);
  }
}

/** Runs generator and sink once. */
async function offer(
  load: Load,
  seconds: number,
  program: (name: string) => string,
): Promise<{ sent: number; received: number }> {
  const { packetsPerSecond, flows, bytes, burst, segmented } = load;
  // The sink outlives the generator by what the relay may still hold.
  const sinkArgs = ["7002", String(seconds + 1), ...(load.ordinarySink ? ["n"] : [])];
  const sink = run(program("sink"), sinkArgs, { timeout: PROGRAM_LIMIT_MS });
  await sleep(200);
  const generator = await run(
    program("gen"),
    [
      "7001",
      String(packetsPerSecond),
      String(seconds),
      String(flows),
      String(bytes),
      ...(segmented ? ["g"] : []),
    ],
    { env: { ...process.env, BURST: String(burst) }, timeout: PROGRAM_LIMIT_MS },
  );
  const { stdout } = await sink;
  if (numberAfter(stdout, "mixed streams") > 0) throw new Error(`streams were mixed: ${stdout}`);
  const sent = numberAfter(generator.stdout, "sent") * (load.copies ?? 1);
  return { sent, received: numberAfter(stdout, "received") };
}

function cpuTicks({ pid }: ChildProcess): number {
  // Fields 14 and 15, counted from behind the program's name, which may hold spaces.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").pop()!.split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

function numberAfter(text: string, word: string): number {
  return Number(text.match(new RegExp(`${word} (\\d+)`))?.[1] ?? 0);
}
