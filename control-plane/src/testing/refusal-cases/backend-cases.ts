// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { backendYaml, classYaml, gatewayYaml, routeYaml, yamlFile } from "../mesh-yaml.ts";
import type { RefusalCase } from "./refusal-case.ts";

const slice = (spec: string): string =>
  `apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: { name: s${spec}`;

const policy = (text: string): string => `${backendYaml()}  policy: ${text}\n`;
const servicePolicy = (...names: readonly string[]): string =>
  `apiVersion: mediastreamingmesh.io/v1alpha1
kind: ServicePolicy
metadata: { name: p${names.length} }
spec:
  targetRefs: [${names.map((name) => `{ name: ${name} }`).join(", ")}]
  policy: {}
`;
const service = "apiVersion: v1\nkind: Service\nmetadata: { name: a }\nspec: {}\n";

/** Backends, EndpointSlices and their policies. */
export const backendCases: readonly RefusalCase[] = [
  ...(
    [
      ["{ hashOn: { type: URL } }", "hashOn"],
      ["{ balancing: Random, slowStart: 1s }", "slowStart"],
      ["{ balancing: Maglev, hashOn: { type: Header } }", "hashOn.name"],
      ["{ balancing: Maglev, hashOn: { type: URL, name: a } }", "hashOn.name"],
      ["{ balancing: Maglev, hashOn: { type: FirstDatagram } }", "hashOn.length"],
      ["{ balancing: Maglev, hashOn: { type: URL, length: 4 } }", "hashOn.length"],
      ["{ healthCheck: { type: STUN, send: '00' } }", "healthCheck.send"],
      ["{ healthCheck: { path: / } }", "healthCheck.path"],
      ["{ healthCheck: { type: UDP } }", "healthCheck.type"],
      ["{ healthCheck: { receive: ['00'] } }", "healthCheck.receive"],
    ] as const
  ).map(
    ([text, field]): RefusalCase => ["MSM_POLICY_CONFLICT", text, policy(text), `spec.policy.${field}`, 9],
  ),
  ["MSM_POLICY_TARGET_NOT_FOUND", "a policy of no Service", servicePolicy("a"), "spec.targetRefs[0].name", 5],
  [
    "MSM_POLICY_TARGET_TAKEN",
    "a second policy of a Service",
    yamlFile(servicePolicy("a"), servicePolicy("b", "a"), service, service.replace("name: a", "name: b")),
    "spec.targetRefs[1].name",
    12,
  ],
  [
    "MSM_BACKEND_ADDRESS",
    "a DNS name as address",
    backendYaml().replace("127.0.0.1", "viewer.example"),
    "spec.endpoints[0].address",
    7,
  ],
  [
    "MSM_ROUTE_POLICY_CONFLICT",
    "backends of different policies",
    yamlFile(
      `${routeYaml()}        - { group: mediastreamingmesh.io, kind: Backend, name: other }\n`,
      ...[classYaml, gatewayYaml(), backendYaml()],
      `${backendYaml({ name: "other", port: 6006 })}  policy: { balancing: Random }\n`,
    ),
    "spec.rules[0].backendRefs[1]",
    13,
  ],
  [
    "MSM_ROUTE_POLICY_HASH",
    "a UDPRoute to a backend that hashes a header",
    yamlFile(
      ...[routeYaml(), classYaml, gatewayYaml()],
      `${backendYaml()}  policy: { balancing: Maglev, hashOn: { type: Header, name: call-id } }\n`,
    ),
    "spec.rules[0].backendRefs[0]",
    10,
  ],
  [
    "MSM_FIELD_VALUE",
    "a silence shorter than proxies can tell",
    `${backendYaml()}  policy: { outlierDetection: { responseSilence: 100ms } }\n`,
    "spec.policy.outlierDetection.responseSilence",
    9,
  ],
  [
    "MSM_BACKEND_HOSTNAME",
    "a hostname that is none",
    backendYaml().replace("address: 127.0.0.1", "hostname: 127.0.0.300"),
    "spec.endpoints[0].hostname",
    7,
  ],
  [
    "MSM_BACKEND_DUPLICATE",
    "an endpoint twice",
    `${backendYaml()}    - { address: 127.0.0.1, port: 6004 }\n`,
    "spec.endpoints[1]",
    9,
  ],
  [
    "MSM_SLICE_SERVICE",
    "a slice without its Service",
    slice(" }\naddressType: IPv4\n"),
    "metadata.labels",
    3,
  ],
  [
    "MSM_SLICE_ADDRESS",
    "a slice of names",
    slice(", labels: { kubernetes.io/service-name: a } }\naddressType: FQDN\n"),
    "addressType",
    4,
  ],
];
