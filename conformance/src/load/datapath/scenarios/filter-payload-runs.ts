// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { costScenario } from "../cost-scenario.ts";
import { payloadChain } from "../filter-chains.ts";
import { runs } from "../loads.ts";
import { cses, proxy } from "../relays.ts";

export const scenario = costScenario({
  title:
    "1316 B, 8 flows, 600,000/s in segmented runs of 32, statistics and three filters, one of which rewrites whole payloads",
  load: runs,
  contestants: async (context) => [
    { relay: cses(context, { isSegmenting: true }) },
    {
      relay: proxy(context, { name: "proxy, three filters", filters: await payloadChain(), preferGro: true }),
    },
  ],
  goals: [{ row: "proxy, three filters", atMost: 2.2 }],
});
