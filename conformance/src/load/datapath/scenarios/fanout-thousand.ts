// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { costScenario } from "../cost-scenario.ts";
import { fanOut } from "../relays.ts";

const COPIES = 1_000;

/** 4 Mbit/s of 1316 B are 380 datagrams a second. */
export const scenario = costScenario({
  title: "4 Mbit/s in bursts of 16 to 1,000 receivers for 60 s, per copy",
  load: {
    packetsPerSecond: 380,
    bytes: 1316,
    flows: 1,
    burst: 16,
    segmented: true,
    seconds: 60,
    copies: COPIES,
  },
  contestants: (context) => [{ relay: fanOut(context, { copies: COPIES, warmUpSeconds: 4 }) }],
  goals: [],
});
