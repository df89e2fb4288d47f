// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
/** Everything a measurement starts ends by itself or is ended; no program runs longer. */
const PROGRAM_LIMIT_MS = 120_000;

/** The traffic to measure a relay with; the generator's own words, see conformance/load/gen.c. */
export interface Load {
  readonly packetsPerSecond: number;
  readonly bytes: number;
  readonly flows: number;
  /** Datagrams per flow and turn. */
  readonly burst: number;
  /** Whether a burst leaves as one segmented send (UDP_SEGMENT). */
  readonly segmented: boolean;
  readonly seconds: number;
  /** How many of each datagram should arrive, at addresses 127.0.1.1 and up; 1 unless said. */
  readonly copies?: number;
  /**
   * How the sink receives: runs of datagrams (UDP_GRO, unless said), one by one as players do, one by one with the age of
   * each, or not at all: then the kernel counts and drops them.
   */
  readonly sink?: "runs" | "ordinary" | "ages" | "counted";
  /** The first source port of the flows, so that those of the warm-up are measured; any unless said. */
  readonly firstPort?: number;
  /** Source addresses for each socket of the generator, 127.3.0.1 and up; one, 127.0.0.1, unless said. */
  readonly sources?: number;
}

/** Where generator and sink are, and where they send. */
export interface Site {
  /** Path of a program of conformance/load by its name. */
  readonly program: (name: string) => string;
  /** What is put before the generator's and the sink's command: nothing, or what enters another network namespace. */
  readonly enter: readonly string[];
  /** Where the relay listens. */
  readonly address: string;
}

/** What one run of generator and sink found. */
export interface Offered {
  readonly sent: number;
  readonly received: number;
  /** Ages of datagrams in microseconds, where the sink asked for them. */
  readonly p50: number;
  readonly p99: number;
}

const SINK_MODES = { runs: [], ordinary: ["n"], ages: ["l"], counted: ["c"] } as const;

/** Runs generator and sink once. Throws where streams of several sessions came from one sender. */
export async function offerLoad(
  load: Load,
  site: Site,
  ports: readonly number[] = [7001],
  seconds = load.seconds,
): Promise<Offered> {
  const start = (command: readonly string[], env: NodeJS.ProcessEnv = {}) => {
    const [file, ...args] = [...site.enter, ...command];
    return run(file!, args, { env: { ...process.env, ...env }, timeout: PROGRAM_LIMIT_MS });
  };
  // The sink outlives the generator by what the relay may still hold.
  const sink = start([site.program("sink"), "7002", String(seconds + 1), ...SINK_MODES[load.sink ?? "runs"]]);
  await sleep(200);
  const { packetsPerSecond, flows, bytes, segmented } = load;
  const numbers = [packetsPerSecond, seconds, flows, bytes].map(String);
  const command = [site.program("gen"), ports.join(","), ...numbers, ...(segmented ? ["g"] : [])];
  const generator = await start(command, environment(load, site));
  const { stdout } = await sink;
  if (numberAfter(stdout, "mixed streams") > 0) throw new Error(`streams were mixed: ${stdout}`);
  return {
    sent: numberAfter(generator.stdout, "sent") * (load.copies ?? 1),
    received: numberAfter(stdout, "received"),
    p50: numberAfter(stdout, "p50"),
    p99: numberAfter(stdout, "p99"),
  };
}

function environment(load: Load, { address }: Site): NodeJS.ProcessEnv {
  const { burst, firstPort, sources, sink } = load;
  return {
    BURST: String(burst),
    TO: address,
    ...(firstPort === undefined ? {} : { FROM: String(firstPort) }),
    ...(sources === undefined ? {} : { SOURCES: String(sources) }),
    ...(sink === "ages" ? { STAMP: "1" } : {}),
  };
}

function numberAfter(text: string, word: string): number {
  return Number(text.match(new RegExp(`${word} (\\d+(\\.\\d+)?)`))?.[1] ?? 0);
}
