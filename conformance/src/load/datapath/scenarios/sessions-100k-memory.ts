// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { clients } from "../loads.ts";
import { memoryScenario } from "../memory-scenario.ts";
import { proxy, thousandEndpoints } from "../relays.ts";

export const scenario = memoryScenario({
  title: "100,000 sessions to 1,000 endpoints, with shared ports: what one takes",
  load: clients,
  relays: (context) => [
    proxy(context, { endpoints: thousandEndpoints }),
    proxy(context, { name: "proxy, no filter", filters: [], endpoints: thousandEndpoints }),
  ],
});
