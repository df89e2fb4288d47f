// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { costScenario } from "../cost-scenario.ts";
import { audio, clients } from "../loads.ts";
import { fewerFiles, proxy, thousandEndpoints } from "../relays.ts";

const few = { flows: 100, firstPort: 10_000 };
/** Until each client has sent, at 50,000 datagrams a second, and what opens their sessions is compiled. */
const warmUpSeconds = 6;
/** So that nearly all sessions share ports, where otherwise those do for which there are no files. */
const FILES = 2_048;

export const scenario = costScenario({
  title: "172 B, 50,000/s, 100,000 sessions to 1,000 endpoints, with shared ports, against 100",
  load: { ...audio, ...few },
  contestants: (context) => {
    const relay = (name: string) => proxy(context, { name, endpoints: thousandEndpoints, warmUpSeconds });
    return [
      { relay: relay("proxy, 100 sessions") },
      { relay: relay("proxy, 100,000 sessions"), load: clients },
      { relay: fewerFiles(relay(`proxy, 100,000 sessions, ulimit -n ${FILES}`), FILES), load: clients },
    ];
  },
  goals: [{ row: "proxy, 100,000 sessions", atMost: 1.3 }],
});
