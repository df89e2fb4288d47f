// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { routeYaml, smallMesh, yamlFile } from "../mesh-yaml.ts";
import { type RefusalCase, route } from "./refusal-case.ts";

/** UDPRoutes. */
export const routeCases: readonly RefusalCase[] = [
  [
    "MSM_ROUTE_PARENT_NOT_FOUND",
    "an unknown Gateway",
    route((text) => text.replace("name: camera", "name: camra")),
    "spec.parentRefs[0].name",
    7,
  ],
  [
    "MSM_ROUTE_PARENT_NOT_FOUND",
    "an unknown listener",
    route((text) => text.replace("- name: camera", "- name: camera\n      sectionName: vide")),
    "spec.parentRefs[0].sectionName",
    8,
  ],
  [
    "MSM_ROUTE_NOT_ALLOWED",
    "a route of another namespace",
    route((text) =>
      text
        .replace("name: video", "name: video\n  namespace: other")
        .replace("- name: camera", "- name: camera\n      namespace: default"),
    ),
    "spec.parentRefs[0]",
    8,
  ],
  [
    "MSM_ROUTE_CONFLICT",
    "two routes to one listener",
    yamlFile(smallMesh, routeYaml({ name: "again" })),
    "spec.parentRefs",
    44,
  ],
  ["MSM_ROUTE_RULES", "two rules", route((text) => `${text}    - backendRefs: []\n`), "spec.rules", 8],
  [
    "MSM_ROUTE_BACKEND_DUPLICATE",
    "one backend twice",
    route((text) => `${text}        - { group: mediastreamingmesh.io, kind: Backend, name: viewer }\n`),
    "spec.rules[0].backendRefs[1]",
    13,
  ],
  [
    "MSM_ROUTE_NO_BACKENDS",
    "a backend of weight 0 alone",
    route((text) => `${text}          weight: 0\n`),
    "spec.rules[0].backendRefs",
    9,
  ],
  [
    "MSM_ROUTE_BACKEND_KIND",
    "a backend of another kind",
    route((text) => text.replace("kind: Backend", "kind: Bucket")),
    "spec.rules[0].backendRefs[0].kind",
    11,
  ],
  [
    "MSM_ROUTE_BACKEND_NOT_FOUND",
    "an unknown backend",
    route((text) => text.replace("name: viewer", "name: vewer")),
    "spec.rules[0].backendRefs[0].name",
    12,
  ],
  [
    "MSM_ROUTE_BACKEND_PORT",
    "a port that no endpoint has",
    route((text) => `${text}          port: 9\n`),
    "spec.rules[0].backendRefs[0].port",
    13,
  ],
  [
    "MSM_ROUTE_NOT_GRANTED",
    "a backend of another namespace",
    route((text) => `${text}          namespace: far\n`),
    "spec.rules[0].backendRefs[0].namespace",
    13,
  ],
];
