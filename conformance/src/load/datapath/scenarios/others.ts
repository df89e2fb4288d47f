// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { costScenario } from "../cost-scenario.ts";
import { ordinary } from "../loads.ts";
import { cses, dgram, nginx, proxy } from "../relays.ts";
import { rtpengine } from "../rtpengine.ts";

const FLOWS = 8;

export const scenario = costScenario({
  title: "1316 B, 8 flows, 100,000/s one by one, beside others",
  load: { ...ordinary, flows: FLOWS, packetsPerSecond: 100_000, firstPort: 20_000 },
  contestants: (context) => [
    { relay: cses(context) },
    { relay: proxy(context) },
    { relay: nginx() },
    { relay: rtpengine(FLOWS) },
    { relay: dgram() },
  ],
  goals: [
    { row: "proxy, rtp-stats on", to: "nginx stream", atMost: 0.75 },
    { row: "proxy, rtp-stats on", to: "node:dgram", atMost: 0.4 },
  ],
});
