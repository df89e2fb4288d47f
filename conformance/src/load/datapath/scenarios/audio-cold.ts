// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { costScenario } from "../cost-scenario.ts";
import { audio } from "../loads.ts";
import { cses, proxy } from "../relays.ts";

export const scenario = costScenario({
  title: "172 B, 1,000 flows of 50/s, the first two seconds",
  load: { ...audio, seconds: 2 },
  contestants: (context) => [
    { relay: { ...cses(context), warmUpSeconds: 0 } },
    { relay: proxy(context, { warmUpSeconds: 0 }) },
  ],
  goals: [{ row: "proxy, rtp-stats on", atMost: 1.8 }],
});
