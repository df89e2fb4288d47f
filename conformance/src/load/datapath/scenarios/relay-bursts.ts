// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { costScenario } from "../cost-scenario.ts";
import { ordinary } from "../loads.ts";
import { cses, proxy } from "../relays.ts";

export const scenario = costScenario({
  title: "1316 B, 8 flows, 150,000/s in bursts of 16 that the proxy sends on in one piece",
  load: { ...ordinary, burst: 16 },
  contestants: (context) => [{ relay: cses(context) }, { relay: proxy(context) }],
  goals: [{ row: "proxy, rtp-stats on", atMost: 0.85 }],
});
