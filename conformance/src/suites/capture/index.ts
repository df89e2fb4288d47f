// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Suite } from "../../runner/suite.ts";
import { readByTshark, rotation } from "./captures.ts";

/** What the filter `capture` writes, read by Wireshark's own reader. */
export const suite: Suite = {
  title: "captures of a proxy that runs are what was sent, and stay within their bounds",
  needs: [{ name: "tshark", find: ["tshark", "--version"], packages: ["tshark"] }],
  scenarios: [readByTshark, rotation],
};
