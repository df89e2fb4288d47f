// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { costScenario } from "../cost-scenario.ts";
import { headerChain } from "../filter-chains.ts";
import { ordinary } from "../loads.ts";
import { cses, proxy } from "../relays.ts";

export const scenario = costScenario({
  title: "1316 B, 8 flows, 150,000/s one by one, statistics and a filter that changes headers",
  load: ordinary,
  contestants: async (context) => [
    { relay: cses(context) },
    { relay: proxy(context, { name: "proxy, header filter", filters: await headerChain() }) },
  ],
  goals: [{ row: "proxy, header filter", atMost: 1.2 }],
});
