// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Bench, FigureTable } from "../bench.ts";
import { buildGoProgram } from "../build-go-program.ts";
import { buildCPrograms } from "../c-programs.ts";
import { type Readers, withSource } from "./measure-readers.ts";
import { type RtspRelay, relays } from "./relays.ts";

const scenarios: readonly (readonly [string, Readers])[] = [
  ["1,000 readers of one stream of 4 Mbit/s by UDP", { count: 1000, how: "udp", seconds: 8 }],
  ["200 readers of one stream of 4 Mbit/s inside their connections", { count: 200, how: "tcp", seconds: 8 }],
  ["500 sessions set up one after the other", { count: 500, how: "setup", seconds: 0 }],
  [
    "500 sessions set up one after the other, after 5,000 others",
    { count: 500, how: "setup", seconds: 0, before: 5_000 },
  ],
];

let missing: string | undefined;

/** Readers of one RTSP stream through the proxy, beside a relay made with the RTSP library of MediaMTX. */
export const bench: Bench = {
  title: "readers of one RTSP stream: join time, CPU and loss, beside gortsplib, the library of MediaMTX",
  prepare(tell) {
    missing = buildGoProgram("gortsplib-relay");
    if (missing !== undefined) tell(`without gortsplib: ${missing}`);
  },
  async run(rounds, tell) {
    const program = buildCPrograms()("rtspreaders");
    const chosen = relays.filter(({ needsGo }) => !needsGo || missing === undefined);
    const tables: FigureTable[] = [];
    for (const [scenario, readers] of scenarios) {
      tell(scenario);
      const found = new Map<RtspRelay, (readonly number[])[]>(chosen.map((relay) => [relay, []]));
      for (let round = 0; round < rounds; round++) {
        // In turn, so that whatever else happens on the machine happens to all of them.
        for (const [relay, figures] of found) figures.push(await withSource(relay, readers, program));
      }
      tables.push({
        scenario,
        figures: [
          "join p50, ms",
          "join p95, ms",
          "requests per second",
          "CPU per session set-up, ms",
          "CPU per packet and reader, µs",
          "lost, %",
        ],
        programs: [...found].map(([{ name }, figures]) => ({ name, rounds: figures })),
      });
    }
    return tables;
  },
};
