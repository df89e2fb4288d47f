// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Suite } from "../../runner/suite.ts";
import { anySize } from "./any-size.ts";
import { manySessions } from "./many-sessions.ts";
import { multiHomed } from "./multi-homed.ts";

/** Plain datagrams through both backends of the datapath; needs no peer but the kernel. */
export const suite: Suite = {
  title: "datagrams through a UDPRoute with two endpoints",
  needs: [],
  scenarios: [...["mmsg", "dgram"].flatMap((io) => [manySessions(io), anySize(io)]), multiHomed],
};
