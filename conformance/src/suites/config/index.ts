// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Suite } from "../../runner/suite.ts";
import { changesTakeEffect } from "./changes-take-effect.ts";
import { portInUse } from "./port-in-use.ts";
import { refusedConfigurations } from "./refused-configurations.ts";

/** Configuration that changes while traffic flows, for good and for bad. */
export const suite: Suite = {
  title: "configuration changes under traffic",
  needs: [],
  scenarios: [changesTakeEffect, ...refusedConfigurations, portInUse],
};
