// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { existsSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Bench, FigureGoal, FigureTable } from "../bench.ts";
import { buildGoServer, goServer } from "../build-go-server.ts";
import {
  arrivingAtOnce,
  type Measurement,
  oneAmongMany,
  oneEndpoint,
  oneInMesh,
  pushToAll,
} from "./measurements.ts";

const OURS = "this server";
const program = fileURLToPath(new URL("../../traffic/xds-server-program.js", import.meta.url));

const measurements: readonly Measurement[] = [
  pushToAll(2000, "delta"),
  pushToAll(2000, "sotw"),
  pushToAll(6000, "delta"),
  oneEndpoint(2000),
  oneAmongMany(1000, 10),
  oneInMesh(1000, 10),
  arrivingAtOnce(2000),
];

interface Program {
  readonly name: string;
  readonly command: readonly string[];
}

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
  async run(rounds, tell, { scenario = "" }) {
    const programs: Program[] = [{ name: OURS, command: [process.execPath, program] }];
    if (existsSync(goServer)) programs.push({ name: "go-control-plane", command: [goServer] });
    const chosen = measurements.filter(({ name }) => name.startsWith(scenario));
    const figures = programs.map(() => Array.from({ length: rounds }, (): number[] => []));
    for (const measurement of chosen) {
      for (let round = 0; round < rounds; round++) {
        for (const [index, { name, command }] of programs.entries()) {
          const isLeftOut = measurement.isOursAlone === true && name !== OURS;
          const numbers = isLeftOut
            ? measurement.figures.map(() => Number.NaN)
            : await measurement.measure(command);
          figures[index]![round]!.push(...numbers);
          if (isLeftOut) continue;
          const text = numbers.map((number) => number.toFixed(1)).join(", ");
          tell(`${measurement.name}, round ${round + 1}, ${name}: ${text}`);
        }
      }
    }
    const measured = programs.map(({ name }, index) => ({ name, rounds: figures[index]! }));
    return [wholeTable(chosen, measured)];
  },
};

/** All of it in one table: a line for each figure of each measurement. */
function wholeTable(chosen: readonly Measurement[], programs: FigureTable["programs"]): FigureTable {
  const lineOf = ({ scenario }: Measurement, figure: string): string => `${scenario}: ${figure}`;
  return {
    scenario: "xDS servers",
    figures: chosen.flatMap((each) => each.figures.map((figure) => lineOf(each, figure))),
    programs,
    goals: chosen.flatMap((each) =>
      Object.entries(each.atMost).map(([figure, atMost]): FigureGoal => {
        return { figure: lineOf(each, figure), program: OURS, atMost };
      }),
    ),
  };
}
