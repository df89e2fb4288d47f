// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { costScenario } from "../cost-scenario.ts";
import { ordinary } from "../loads.ts";
import { cses, proxy } from "../relays.ts";

export const scenario = costScenario({
  title: "1316 B, 8 flows, 150,000/s one by one",
  load: ordinary,
  contestants: (context) => [
    { relay: cses(context) },
    { relay: proxy(context) },
    { relay: proxy(context, { name: "proxy, no filter", filters: [] }) },
  ],
  goals: [{ row: "proxy, rtp-stats on", atMost: 1.15 }],
});
