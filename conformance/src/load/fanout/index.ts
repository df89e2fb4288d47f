// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from "node:url";
import type { Bench, BenchTable } from "../bench.ts";
import { buildCPrograms } from "../c-programs.ts";
import { type Load, measureRelay, type Relay, type RelayCost } from "../measure-relay.ts";

const COPIES = 50;
const REFERENCE = "cfan";
/**
 * Bursts come 187 times a second: what handles them is called often enough to be compiled only after ten seconds, and V8
 * gives back what the start took, once, after about sixteen.
 */
const WARM_UP_SECONDS = 18;
/** 150,000 copies a second, from bursts as cameras send pictures. */
const bursts: Load = {
  packetsPerSecond: 3_000,
  bytes: 1316,
  flows: 1,
  burst: 16,
  segmented: true,
  seconds: 6,
  copies: COPIES,
};

/** One source to 50 receivers, beside C that sends every copy by itself, and C that lets the kernel cut bursts up. */
export const bench: Bench = {
  title: "CPU per copy of a fan-out from 1 to 50 receivers with RTP statistics, beside C",
  async run(rounds, tell) {
    const program = buildCPrograms();
    const cfan = (name: string, ...flags: string[]): Relay => ({
      name,
      command: [program("cfan"), "7001", String(COPIES), "60", ...flags],
      startMs: 300,
    });
    const relays = [
      cfan(REFERENCE),
      cfan("cfan, segmenting", "g"),
      proxy("proxy, rtp-stats on"),
      proxy("proxy, SSRC and sequence rewritten", "rewrite"),
    ];
    const scenarios: readonly (readonly [string, Load])[] = [
      ["1316 B, bursts of 16, receivers that take runs (UDP_GRO)", bursts],
      ["1316 B, bursts of 16, ordinary receivers", { ...bursts, ordinarySink: true }],
    ];
    const tables: BenchTable[] = [];
    for (const [scenario, load] of scenarios) {
      tell(`${scenario}: ${relays.map(({ name }) => name).join(", ")}`);
      const costs = new Map<Relay, RelayCost[]>(relays.map((relay) => [relay, []]));
      for (let round = 0; round < rounds; round++) {
        for (const [relay, found] of costs) found.push(await measureRelay(relay, load, program));
      }
      const rows = [...costs].map(([relay, found]) => ({
        name: relay.name,
        nsPerDatagram: found.map(({ nsPerDatagram }) => nsPerDatagram),
        lost: found.reduce((sum, { lost }) => sum + lost, 0),
        sent: found.reduce((sum, { sent }) => sum + sent, 0),
      }));
      tables.push({ scenario, reference: REFERENCE, rows });
    }
    return tables;
  },
};

function proxy(name: string, ...flags: string[]): Relay {
  const main = fileURLToPath(new URL("../../../dist/load/fanout/fan-out-relay.js", import.meta.url));
  return {
    name,
    command: [process.execPath, main, String(COPIES), ...flags],
    startMs: 2_000,
    warmUpSeconds: WARM_UP_SECONDS,
  };
}
