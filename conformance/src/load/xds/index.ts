// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { existsSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Bench, FigureTable } from "../bench.ts";
import { buildGoServer, goServer } from "../build-go-server.ts";
import {
  arrivingAtOnce,
  type Measurement,
  oneAmongMany,
  oneEndpoint,
  oneInMesh,
  pushToAll,
} from "./measurements.ts";

const ours = fileURLToPath(new URL("../../traffic/xds-server-program.js", import.meta.url));

const measurements: readonly Measurement[] = [
  pushToAll(2000, "delta"),
  pushToAll(2000, "sotw"),
  pushToAll(6000, "delta"),
  oneEndpoint(2000),
  oneAmongMany(1000, 10),
  oneInMesh(1000, 10),
  arrivingAtOnce(2000),
];

/** Our xDS server beside one made with go-control-plane, each in a process of its own, with the same clients. */
export const bench: Bench = {
  title: "how the xDS server scales, beside one made with go-control-plane",
  prepare(tell) {
    const problem = buildGoServer();
    if (problem === undefined) return;
    // What an earlier run built is not what is there now.
    rmSync(goServer, { force: true });
    tell(`go-control-plane is not measured: ${problem}`);
  },
  async run(rounds, tell) {
    const programs = [{ name: "this server", command: [process.execPath, ours] }];
    if (existsSync(goServer)) programs.push({ name: "go-control-plane", command: [goServer] });
    const tables: FigureTable[] = [];
    for (const { scenario, figures, isOursAlone, measure } of measurements) {
      const compared = isOursAlone ? programs.slice(0, 1) : programs;
      const measured = compared.map(({ name }) => ({ name, rounds: [] as (readonly number[])[] }));
      for (let round = 1; round <= rounds; round++) {
        for (const [index, { name, command }] of compared.entries()) {
          const numbers = await measure(command);
          measured[index]!.rounds.push(numbers);
          const text = numbers.map((number) => number.toFixed(1)).join(", ");
          tell(`${scenario}, round ${round}, ${name}: ${text}`);
        }
      }
      tables.push({ scenario, figures, programs: measured });
    }
    return tables;
  },
};
