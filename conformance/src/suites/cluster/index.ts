// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Suite } from "../../runner/suite.ts";
import { badMedia } from "./bad-media.ts";
import { canary } from "./canary.ts";
import { churn } from "./churn.ts";
import { failover } from "./failover.ts";
import { lameDuck } from "./lame-duck.ts";
import { rtspCanary } from "./rtsp-canary.ts";
import { shadow } from "./shadow.ts";
import { slowStart } from "./slow-start.ts";

/** How sessions are spread over endpoints, and what becomes of them when that changes. */
export const suite: Suite = {
  title: "weights, canaries, lame ducks and endpoints that fail",
  needs: [],
  scenarios: [canary, rtspCanary, shadow, lameDuck, ...failover, slowStart, badMedia, churn],
};
