// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { costScenario } from "./cost-scenario.ts";
import { pictures } from "./loads.ts";
import { cfan, fanOut } from "./relays.ts";
import type { Scenario } from "./scenario.ts";

const COPIES = 50;

/** Pictures to 50 receivers of one kind; the aims are ratios to `cfan`, for copies as they are and for rewritten ones. */
export function fanOutScenario(
  receivers: string,
  sink: "runs" | "ordinary",
  aims: { readonly plain: number; readonly rewritten: number },
): Scenario {
  return costScenario({
    title: `1316 B in bursts of 16 to ${COPIES} ${receivers}, per copy`,
    load: { ...pictures, sink },
    contestants: (context) => [
      { relay: cfan(context, COPIES) },
      { relay: cfan(context, COPIES, true) },
      { relay: fanOut(context, { copies: COPIES }) },
      { relay: fanOut(context, { copies: COPIES, isRewritten: true }) },
    ],
    goals: [
      { row: "proxy, rtp-stats on", atMost: aims.plain },
      { row: "proxy, SSRC and sequence rewritten", atMost: aims.rewritten },
    ],
  });
}
