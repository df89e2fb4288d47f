// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { offerLoad } from "../offer-load.ts";
import { ordinary } from "./loads.ts";
import type { ScenarioContext } from "./scenario.ts";

const LOWEST = 50_000;
const HIGHEST = 1_600_000;
/** Until the rate is known to 4 %. */
const STEPS = 7;
const MOST_LOST = 0.001;
const SECONDS = 2;

/**
 * The highest rate at which no more than 0.1 % are lost, in datagrams a second as the generator really sent them. The
 * kernel counts and drops them at the sink, so that the sink costs nothing.
 */
export async function findHighestRate({ site }: ScenarioContext, ports: readonly number[]): Promise<number> {
  let best = 0;
  for (let low = LOWEST, high = HIGHEST, step = 0; step < STEPS; step++) {
    const packetsPerSecond = Math.sqrt(low * high);
    const load = { ...ordinary, packetsPerSecond, sink: "counted" as const };
    const { sent, received } = await offerLoad(load, site, ports, SECONDS);
    const isKept = sent - received <= sent * MOST_LOST;
    if (isKept) best = Math.max(best, sent / SECONDS);
    // A generator that cannot do more finds out nothing more.
    if (isKept && sent / SECONDS < packetsPerSecond * 0.9) return best;
    if (isKept) low = packetsPerSecond;
    else high = packetsPerSecond;
  }
  return best;
}
