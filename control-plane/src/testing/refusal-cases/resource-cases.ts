// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { backendYaml, yamlFile } from "../mesh-yaml.ts";
import { gateway, type RefusalCase } from "./refusal-case.ts";

/** Text that is no YAML, resources that are none, and fields that any kind may have wrong. */
export const resourceCases: readonly RefusalCase[] = [
  ["MSM_YAML_SYNTAX", "an unclosed bracket", "kind: [Gateway\nmetadata: {}\n", "", 2],
  ["MSM_YAML_SYNTAX", "a tag that would be dropped", "kind: !secret Gateway\n", "", 1],
  ["MSM_YAML_SYNTAX", "nesting without end", `a: ${"[".repeat(200)}${"]".repeat(200)}`, "", 1],
  ["MSM_YAML_ALIASES", "an alias bomb", aliasBomb(), "", 1],
  ["MSM_RESOURCE_SHAPE", "a document that is a list", "- kind: Gateway\n", "", 1],
  ["MSM_RESOURCE_KIND", "a misspelt kind", "kind: Gatewy\n", "kind", 1],
  [
    "MSM_RESOURCE_KIND",
    "a wrong API version",
    gateway((text) => text.replace("/v1", "/v2")),
    "apiVersion",
    1,
  ],
  [
    "MSM_RESOURCE_NAME",
    "a name with capitals",
    gateway((text) => text.replace("name: camera", "name: Camera")),
    "metadata.name",
    4,
  ],
  [
    "MSM_RESOURCE_NAME",
    "a number as namespace",
    gateway((text) => text.replace("name: camera", "name: camera\n  namespace: 5")),
    "metadata.namespace",
    5,
  ],
  [
    "MSM_RESOURCE_DUPLICATE",
    "the same Backend twice",
    yamlFile(backendYaml(), backendYaml()),
    "metadata.name",
    13,
  ],
  [
    "MSM_FIELD_UNKNOWN",
    "a misspelt field",
    gateway((text) => text.replace("port:", "prot:")),
    "spec.listeners[0].prot",
    9,
  ],
  [
    "MSM_FIELD_MISSING",
    "a missing field",
    gateway((text) => text.replace("      port: 5004\n", "")),
    "spec.listeners[0].port",
    8,
  ],
  [
    "MSM_FIELD_TYPE",
    "a number in quotes",
    gateway((text) => text.replace("5004", '"5004"')),
    "spec.listeners[0].port",
    9,
  ],
  [
    "MSM_FIELD_VALUE",
    "a port out of range",
    gateway((text) => text.replace("5004", "70000")),
    "spec.listeners[0].port",
    9,
  ],
  [
    "MSM_FIELD_VALUE",
    "an idle time-out that is none",
    gateway((text) =>
      text.replace(
        "name: camera",
        "name: camera\n  annotations: { mediastreamingmesh.io/idle-timeout: soon }",
      ),
    ),
    'metadata.annotations["mediastreamingmesh.io/idle-timeout"]',
    5,
  ],
  [
    "MSM_FIELD_UNSUPPORTED",
    "a host name on UDP",
    gateway((text) => text.replace("port: 5004", "port: 5004\n      hostname: a.example")),
    "spec.listeners[0].hostname",
    10,
  ],
  [
    "MSM_ANNOTATION_UNKNOWN",
    "a misspelt annotation",
    gateway((text) =>
      text.replace("name: camera", "name: camera\n  annotations: { mediastreamingmesh.io/idle-timout: 5s }"),
    ),
    'metadata.annotations["mediastreamingmesh.io/idle-timout"]',
    5,
  ],
];

function aliasBomb(): string {
  const levels = Array.from(
    { length: 12 },
    (_, level) => `l${level + 1}: &l${level + 1} [*l${level}, *l${level}]`,
  );
  return ["l0: &l0 [x, x]", ...levels].join("\n");
}
