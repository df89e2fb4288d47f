// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { cpus } from "node:os";
import type { FigureTable } from "../../bench.ts";
import { offerLoad } from "../../offer-load.ts";
import { type Relay, withRelay } from "../../running-relay.ts";
import { findHighestRate } from "../highest-rate.ts";
import { ordinary } from "../loads.ts";
import { cses, proxy } from "../relays.ts";
import type { Scenario, ScenarioContext } from "../scenario.ts";

const RATE = "highest rate with at most 0.1 % lost, datagrams a second";
const P50 = "added latency at half of that of the slower, p50, µs";
const P99 = "added latency at half of that of the slower, p99, µs";
const REFERENCE = "cses";
const OURS = "proxy, rtp-stats on";
const ALONE = "generator alone";
const WARM_UP_SECONDS = 4;

/** The relay has one core, generator and sink another. */
export const scenario: Scenario = {
  title:
    "1316 B, 8 flows one by one: the highest rate, and how long a datagram stays; relay pinned to one core",
  missing: () => (cpus().length < 2 ? "it needs two cores" : undefined),
  async run(anywhere) {
    const context = { ...anywhere, site: { ...anywhere.site, enter: ["taskset", "-c", "1"] } };
    const relays = [pinned(cses(context)), pinned(proxy(context))];
    const rounds: { rates: number[]; ages: (readonly [p50: number, p99: number])[] }[] = [];
    for (let round = 0; round < context.rounds; round++) {
      const rates: number[] = [];
      for (const relay of relays) rates.push(await withRelay(relay, ({ ports }) => warmRate(context, ports)));
      const alone = await findHighestRate(context, [7002]);
      const direct = await agesAt(context, Math.min(...rates) / 2);
      const ages: (readonly [number, number])[] = [];
      for (const relay of relays) {
        const [p50, p99] = await agesAt(context, Math.min(...rates) / 2, relay);
        ages.push([p50 - direct[0], p99 - direct[1]]);
      }
      rounds.push({ rates: [...rates, alone], ages: [...ages, direct] });
      context.tell(
        `round ${round + 1} of ${context.rounds}: ${[...rates, alone].map(Math.round).join(", ")}/s`,
      );
    }
    return toTable(rounds);
  },
};

async function warmRate(context: ScenarioContext, ports: readonly number[]): Promise<number> {
  await offerLoad(ordinary, context.site, ports, WARM_UP_SECONDS);
  return findHighestRate(context, ports);
}

function toTable(
  rounds: readonly { readonly rates: readonly number[]; readonly ages: readonly (readonly number[])[] }[],
): FigureTable {
  const programs = [REFERENCE, OURS, ALONE].map((name, index) => ({
    name,
    rounds: rounds.map(({ rates, ages }) => [rates[index]!, ...ages[index]!]),
  }));
  return {
    scenario: `${scenario.title}; the ages of "${ALONE}" are those without a relay`,
    figures: [RATE, P50, P99],
    programs,
    goals: [
      { figure: RATE, program: OURS, to: REFERENCE, atLeast: 0.85 },
      { figure: P50, program: OURS, to: REFERENCE, atMost: 1.5 },
      { figure: P99, program: OURS, to: REFERENCE, atMost: 2 },
    ],
  };
}

/** Median and 99th percentile of the ages of datagrams at the sink, in microseconds, through a relay or without one. */
async function agesAt(
  { site }: ScenarioContext,
  packetsPerSecond: number,
  relay?: Relay,
): Promise<readonly [number, number]> {
  const load = { ...ordinary, packetsPerSecond, sink: "ages" as const };
  const measure = async (ports: readonly number[]) => {
    await offerLoad(load, site, ports, WARM_UP_SECONDS);
    const { p50, p99 } = await offerLoad(load, site, ports);
    return [p50, p99] as const;
  };
  return relay ? withRelay(relay, ({ ports }) => measure(ports)) : measure([7002]);
}

function pinned(relay: Relay): Relay {
  return { ...relay, command: ["taskset", "-c", "0", ...relay.command] };
}
