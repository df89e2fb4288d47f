// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { costScenario } from "../cost-scenario.ts";
import { audio } from "../loads.ts";
import { cses, proxy } from "../relays.ts";

export const scenario = costScenario({
  title: "172 B, 1,000 flows of 50/s, each with its socket",
  load: audio,
  contestants: (context) => [
    { relay: cses(context) },
    { relay: proxy(context) },
    { relay: proxy(context, { name: "proxy, no filter", filters: [] }) },
  ],
  goals: [{ row: "proxy, rtp-stats on", atMost: 1.25 }],
});
