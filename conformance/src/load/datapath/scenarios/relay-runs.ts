// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { costScenario } from "../cost-scenario.ts";
import { runs } from "../loads.ts";
import { cses, proxy } from "../relays.ts";

export const scenario = costScenario({
  title: "1316 B, 8 flows, 600,000/s in segmented runs of 32",
  load: runs,
  contestants: (context) => [
    { relay: cses(context, { isSegmenting: true }) },
    { relay: proxy(context, { preferGro: true }) },
    { relay: proxy(context, { name: "proxy, no filter", filters: [], preferGro: true }) },
  ],
  goals: [{ row: "proxy, rtp-stats on", atMost: 1.25 }],
});
