// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { fanOutScenario } from "../fan-out-scenario.ts";

export const scenario = fanOutScenario("receivers that take runs (UDP_GRO)", "runs", {
  plain: 0.15,
  rewritten: 0.35,
});
