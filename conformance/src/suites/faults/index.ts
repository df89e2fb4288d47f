// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Suite } from "../../runner/suite.ts";
import { controlPlaneKilled } from "./control-plane-killed.ts";
import { flowWorkerKilled } from "./flow-worker-killed.ts";
import { workerKilled } from "./worker-killed.ts";

/** Parts of the mesh die under traffic. */
export const suite: Suite = {
  title: "parts of the mesh die under traffic",
  needs: [],
  scenarios: [
    controlPlaneKilled,
    ...["mmsg", "dgram"].map(workerKilled),
    ...["mmsg", "dgram"].map(flowWorkerKilled),
  ],
};
