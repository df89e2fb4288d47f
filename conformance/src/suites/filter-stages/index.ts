// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Suite } from "../../runner/suite.ts";
import { keyedSessions } from "./keyed-sessions.ts";
import { pacedReceivers } from "./paced-receivers.ts";

/** Built-in filters at the stages before a session is looked for and behind the fan-out, in a whole proxy. */
export const suite: Suite = {
  title: "filters before sessions and behind the fan-out",
  needs: [],
  scenarios: [...["mmsg", "dgram"].map(keyedSessions), pacedReceivers],
};
