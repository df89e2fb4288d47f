// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { costScenario } from "../cost-scenario.ts";
import { headerChain } from "../filter-chains.ts";
import { runs } from "../loads.ts";
import { cses, proxy } from "../relays.ts";

export const scenario = costScenario({
  title: "1316 B, 8 flows, 600,000/s in segmented runs of 32, statistics and a filter that changes headers",
  load: runs,
  contestants: async (context) => [
    { relay: cses(context, { isSegmenting: true }) },
    {
      relay: proxy(context, { name: "proxy, header filter", filters: await headerChain(), preferGro: true }),
    },
  ],
  goals: [{ row: "proxy, header filter", atMost: 1.5 }],
});
