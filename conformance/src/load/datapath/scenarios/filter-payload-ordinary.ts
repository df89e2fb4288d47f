// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { costScenario } from "../cost-scenario.ts";
import { payloadChain } from "../filter-chains.ts";
import { ordinary } from "../loads.ts";
import { cses, proxy } from "../relays.ts";

export const scenario = costScenario({
  title:
    "1316 B, 8 flows, 150,000/s one by one, statistics and three filters, one of which rewrites whole payloads",
  load: ordinary,
  contestants: async (context) => [
    { relay: cses(context) },
    { relay: proxy(context, { name: "proxy, three filters", filters: await payloadChain() }) },
  ],
  goals: [{ row: "proxy, three filters", atMost: 1.35 }],
});
