// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { fanOutScenario } from "../fan-out-scenario.ts";

export const scenario = fanOutScenario("ordinary receivers", "ordinary", { plain: 0.55, rewritten: 0.7 });
