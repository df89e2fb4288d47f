// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import {
  backendYaml,
  classYaml,
  gatewayYaml,
  rtspGatewayYaml,
  rtspMesh,
  rtspRouteYaml,
  yamlFile,
} from "../mesh-yaml.ts";
import { type RefusalCase, rtsp } from "./refusal-case.ts";

const rewrite = "filters: [{ type: URLRewrite, urlRewrite: { path: { type:";

/** RTSPRoutes and the listeners that they need. */
export const rtspCases: readonly RefusalCase[] = [
  [
    "MSM_ROUTE_METHOD",
    "an RTSP match by a method that comes later",
    rtsp("matches: [{ method: PLAY }]"),
    "spec.rules[0].matches[0].method",
    13,
  ],
  [
    "MSM_ROUTE_REGEX",
    "a path that is no regular expression",
    rtsp('matches: [{ path: { type: RegularExpression, value: "/(" } }]'),
    "spec.rules[0].matches[0].path.value",
    13,
  ],
  [
    "MSM_ROUTE_REGEX",
    "a header match with look-around, which RE2 lacks",
    rtsp('matches: [{ headers: [{ type: RegularExpression, name: A, value: "(?=a)" }] }]'),
    "spec.rules[0].matches[0].headers[0].value",
    13,
  ],
  [
    "MSM_ROUTE_REWRITE",
    "the rewrite of a prefix of an exact path",
    rtsp(`matches: [{ path: { type: Exact, value: /a } }]\n${rewrite} ReplacePrefixMatch } } }]`),
    "spec.rules[0].filters[0].urlRewrite.path.type",
    14,
  ],
  [
    "MSM_FIELD_MISSING",
    "a rewrite without its value",
    rtsp(`${rewrite} ReplaceFullPath } } }]`),
    "spec.rules[0].filters[0].urlRewrite.path.replaceFullPath",
    13,
  ],
  [
    "MSM_FIELD_VALUE",
    "a path that leads upwards",
    rtsp("matches: [{ path: { value: /a/../b } }]"),
    "spec.rules[0].matches[0].path.value",
    13,
  ],
  [
    "MSM_FIELD_VALUE",
    "a host name with a port",
    rtsp("", "hostnames: ['a.example:554']"),
    "spec.hostnames[0]",
    13,
  ],
  [
    "MSM_ROUTE_CONFLICT",
    "two RTSP matches that are the same in one route",
    rtsp("matches: [{ path: { value: /a } }, { path: { value: /a/ } }]"),
    "spec.rules[0].matches[1]",
    13,
  ],
  [
    "MSM_ROUTE_CONFLICT",
    "an RTSP match that another route has at the same host",
    yamlFile(rtspMesh, rtspRouteYaml({ name: "other" })),
    "spec.parentRefs",
    45,
  ],
  [
    "MSM_ROUTE_NOT_ALLOWED",
    "an RTSPRoute at a listener for datagrams",
    yamlFile(rtspRouteYaml().replace("name: rtsp", "name: camera"), classYaml, gatewayYaml(), backendYaml()),
    "spec.parentRefs[0]",
    7,
  ],
  ...["advertised-address: 0.0.0.0", "advertised-address: camera.example"].map(
    (annotation): RefusalCase => [
      "MSM_GATEWAY_ADDRESS",
      `an address to advertise that no client reaches, ${annotation}`,
      yamlFile(rtspGatewayYaml({ annotations: `{ mediastreamingmesh.io/${annotation} }` }), classYaml),
      'metadata.annotations["mediastreamingmesh.io/advertised-address"]',
      5,
    ],
  ),
];
