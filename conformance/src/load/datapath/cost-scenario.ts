// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { BenchRow, BenchTable, Goal } from "../bench.ts";
import { measureRelay, type RelayCost } from "../measure-relay.ts";
import type { Load } from "../offer-load.ts";
import type { Relay } from "../running-relay.ts";
import type { Scenario, ScenarioContext } from "./scenario.ts";

/** A relay of a scenario, and its load where that is not the scenario's. */
export interface Contestant {
  readonly relay: Relay;
  readonly load?: Partial<Load>;
}

/** What a scenario of CPU per datagram is about. */
export interface CostScenarioOptions {
  readonly title: string;
  readonly load: Load;
  /** The first is the reference. */
  readonly contestants: (context: ScenarioContext) => Promise<readonly Contestant[]> | readonly Contestant[];
  readonly goals: readonly Goal[];
  readonly missing?: () => string | undefined;
}

/** A scenario in which relays take turns under one load. A relay that cannot run here is left out by name. */
export function costScenario({ title, load, contestants, goals, missing }: CostScenarioOptions): Scenario {
  return {
    title,
    ...(missing ? { missing } : {}),
    async run(context) {
      const all = await contestants(context);
      for (const { relay } of all)
        if (relay.missing) context.tell(`${relay.name}: left out, ${relay.missing}`);
      const able = all.filter(({ relay }) => relay.missing === undefined);
      const costs = able.map((): RelayCost[] => []);
      for (let round = 0; round < context.rounds; round++) {
        // In turn, so that whatever else happens on the machine happens to all of them.
        for (const [index, contestant] of able.entries())
          costs[index]!.push(await measure(contestant, load, context));
      }
      const rows = able.map(({ relay }, index) => toRow(relay.name, costs[index]!));
      return { scenario: title, reference: rows[0]!.name, rows, goals } satisfies BenchTable;
    },
  };
}

async function measure(
  { relay, load: own }: Contestant,
  load: Load,
  { site, profiler, tell }: ScenarioContext,
): Promise<RelayCost> {
  const cost = await measureRelay(relay, { ...load, ...own }, site, profiler);
  tell(`${relay.name}: ${cost.nsPerDatagram.toFixed(0)} ns, lost ${cost.lost} of ${cost.sent}`);
  for (const row of (await profiler?.finish()) ?? []) tell(row);
  return cost;
}

function toRow(name: string, costs: readonly RelayCost[]): BenchRow {
  const total = (of: (cost: RelayCost) => number): number => costs.reduce((sum, cost) => sum + of(cost), 0);
  return {
    name,
    nsPerDatagram: costs.map(({ nsPerDatagram }) => nsPerDatagram),
    cpus: costs.map(({ cpus }) => cpus),
    lost: total((cost) => cost.lost),
    sent: total((cost) => cost.sent),
  };
}
