// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { audio } from "../loads.ts";
import { memoryScenario } from "../memory-scenario.ts";
import { whyTooFewFiles } from "../open-files.ts";
import { cses, proxy } from "../relays.ts";

/** Below what one process may open without asking, and the ephemeral ports that Linux has unless told otherwise. */
const SESSIONS = 15_000;

export const scenario = memoryScenario({
  title: `${SESSIONS} sessions with a socket each: what one takes`,
  load: { ...audio, flows: SESSIONS, firstPort: 10_000, seconds: 3 },
  relays: (context) => [
    cses(context),
    proxy(context),
    proxy(context, { name: "proxy, no filter", filters: [] }),
  ],
  missing: () => whyTooFewFiles(SESSIONS),
});
