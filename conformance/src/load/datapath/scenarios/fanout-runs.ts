// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { costScenario } from "../cost-scenario.ts";
import { pictures } from "../loads.ts";
import { cfan, fanOut } from "../relays.ts";

export const scenario = costScenario({
  title: "1316 B in bursts of 16 to 50 receivers that take runs (UDP_GRO), per copy",
  load: { ...pictures, sink: "runs" },
  contestants: (context) => [
    { relay: cfan(context, 50) },
    { relay: cfan(context, 50, true) },
    { relay: fanOut(context, { copies: 50 }) },
    { relay: fanOut(context, { copies: 50, isRewritten: true }) },
  ],
  goals: [
    { row: "proxy, rtp-stats on", atMost: 0.15 },
    { row: "proxy, SSRC and sequence rewritten", atMost: 0.35 },
  ],
});
