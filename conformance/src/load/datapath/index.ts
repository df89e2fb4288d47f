// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from "node:fs";
import type { Bench, BenchTable, FigureTable } from "../bench.ts";
import { buildCPrograms } from "../c-programs.ts";
import type { Site } from "../offer-load.ts";
import { createProfiler } from "../profiler.ts";
import type { Scenario } from "./scenario.ts";

const folder = new URL("scenarios/", import.meta.url);
const names = readdirSync(folder)
  .filter((name) => name.endsWith(".js"))
  .map((name) => name.slice(0, -3));

/** What a datagram costs, in each scenario of the folder `scenarios`. */
export const bench: Bench = {
  title: `CPU per datagram, rates and latency beside C, nginx, rtpengine and node:dgram: ${names.join(", ")}`,
  async run(rounds, tell, { scenario: wanted, isProfiled }) {
    const chosen = names.filter((name) => name.startsWith(wanted ?? ""));
    if (chosen.length === 0) throw new Error(`no scenario begins with "${wanted}": ${names.join(", ")}`);
    const site: Site = { program: buildCPrograms(), enter: [], address: "127.0.0.1" };
    const tables: (BenchTable | FigureTable)[] = [];
    for (const name of chosen) {
      const { scenario } = (await import(new URL(`${name}.js`, folder).href)) as {
        readonly scenario: Scenario;
      };
      const missing = scenario.missing?.();
      tell(`${name}: ${scenario.title}${missing === undefined ? "" : `: left out, ${missing}`}`);
      if (missing !== undefined) continue;
      const profiler = isProfiled ? createProfiler() : undefined;
      const table = await scenario.run({ rounds, tell, site, profiler });
      tables.push({ ...table, scenario: `${name}: ${table.scenario}` });
    }
    return tables;
  },
};
