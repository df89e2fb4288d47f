// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { costScenario } from "../cost-scenario.ts";
import { audio } from "../loads.ts";
import { whyTooFewFiles } from "../open-files.ts";
import { cses, proxy } from "../relays.ts";

const few = { flows: 100, firstPort: 10_000 };
const many = { flows: 10_000, firstPort: 10_000 };

export const scenario = costScenario({
  title: "172 B, 50,000/s, 10,000 sessions with a socket each against 100",
  load: { ...audio, ...few },
  contestants: (context) => [
    { relay: proxy(context, { name: "proxy, 100 sessions" }) },
    { relay: proxy(context, { name: "proxy, 10,000 sessions" }), load: many },
    { relay: { ...cses(context), name: "cses, 100 sessions" } },
    { relay: { ...cses(context), name: "cses, 10,000 sessions" }, load: many },
  ],
  missing: () => whyTooFewFiles(many.flows),
  goals: [{ row: "proxy, 10,000 sessions", atMost: 1.3 }],
});
