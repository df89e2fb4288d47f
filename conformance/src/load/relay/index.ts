// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import type { Bench, BenchRow, BenchTable } from "../bench.ts";
import { buildCPrograms } from "../c-programs.ts";
import { type Load, measureRelay, type Relay, type RelayCost } from "../measure-relay.ts";
import { relayBootstrap } from "./relay-bootstrap.ts";

const REFERENCE = "cses";
const ordinary: Load = {
  packetsPerSecond: 150_000,
  bytes: 1316,
  flows: 8,
  burst: 1,
  segmented: false,
  seconds: 4,
};
/** `node:dgram` would drop most of the other scenarios; its cost per datagram hardly depends on the rate. */
const gentle: Load = { ...ordinary, packetsPerSecond: 50_000 };
const segmented: Load = { ...ordinary, packetsPerSecond: 600_000, burst: 32, segmented: true };

/** One direction through a session proxy with RTP statistics on, beside C that only relays. */
export const bench: Bench = {
  title: "CPU per datagram of a session relay with RTP statistics, beside C and node:dgram",
  async run(rounds, tell) {
    const program = buildCPrograms();
    const cses = (...flags: string[]): Relay => ({
      name: REFERENCE,
      command: [program("cses"), "7001", "7002", "60", ...flags],
      startMs: 300,
    });
    const scenarios: readonly (readonly [string, Load, readonly Relay[]])[] = [
      ["1316 B, 8 flows, 150,000/s one by one", ordinary, [cses(), proxy(false)]],
      ["1316 B, 8 flows, 600,000/s in segmented runs of 32", segmented, [cses("g"), proxy(true)]],
      ["1316 B, 8 flows, 50,000/s one by one", gentle, [cses(), proxy(false), dgram()]],
    ];
    const tables: BenchTable[] = [];
    for (const [scenario, load, relays] of scenarios) {
      tell(`${scenario}: ${relays.map(({ name }) => name).join(", ")}`);
      const costs = new Map<Relay, RelayCost[]>(relays.map((relay) => [relay, []]));
      for (let round = 0; round < rounds; round++) {
        // In turn, so that whatever else happens on the machine happens to all of them.
        for (const [relay, found] of costs) found.push(await measureRelay(relay, load, program));
      }
      tables.push({
        scenario,
        reference: REFERENCE,
        rows: [...costs].map(([relay, found]) => toRow(relay, found)),
      });
    }
    return tables;
  },
};

function proxy(preferGro: boolean): Relay {
  const folder = new URL("../../../build/load/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  const file = fileURLToPath(new URL(`relay-${preferGro ? "gro" : "plain"}.yaml`, folder));
  writeFileSync(file, stringify(relayBootstrap(preferGro)));
  const main = fileURLToPath(new URL("../../../../proxy/dist/main.js", import.meta.url));
  return {
    name: "proxy, rtp-stats on",
    command: [process.execPath, main, "-c", file, "--concurrency", "1"],
    startMs: 2000,
  };
}

function dgram(): Relay {
  const main = fileURLToPath(new URL("../../../dist/load/dgram-relay.js", import.meta.url));
  return { name: "node:dgram", command: [process.execPath, main], startMs: 500 };
}

function toRow({ name }: Relay, costs: readonly RelayCost[]): BenchRow {
  const total = (of: (cost: RelayCost) => number): number => costs.reduce((sum, cost) => sum + of(cost), 0);
  return {
    name,
    nsPerDatagram: costs.map(({ nsPerDatagram }) => nsPerDatagram),
    lost: total((cost) => cost.lost),
    sent: total((cost) => cost.sent),
  };
}
