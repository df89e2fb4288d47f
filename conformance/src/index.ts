// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

export { ImpairmentRelay } from "./impairment-relay.ts";
export { meshYaml } from "./mesh-yaml.ts";
export type { Need, Scenario, ScenarioContext, Suite } from "./runner/suite.ts";
