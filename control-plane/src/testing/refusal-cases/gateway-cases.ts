// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { classYaml, gatewayYaml, yamlFile } from "../mesh-yaml.ts";
import { gateway, type RefusalCase } from "./refusal-case.ts";

/** Gateways. */
export const gatewayCases: readonly RefusalCase[] = [
  ["MSM_GATEWAY_CLASS_NOT_FOUND", "a Gateway without its class", gatewayYaml(), "spec.gatewayClassName", 6],
  [
    "MSM_GATEWAY_PROTOCOL",
    "a TCP listener",
    gateway((text) => text.replace("mediastreamingmesh.io/RTP", "TCP")),
    "spec.listeners[0].protocol",
    10,
  ],
  [
    "MSM_GATEWAY_ADDRESS",
    "an address that is a name",
    gateway((text) => `${text}  addresses:\n    - value: localhost\n`),
    "spec.addresses[0].value",
    12,
  ],
  [
    "MSM_GATEWAY_LISTENER_DUPLICATE",
    "two listeners on one port",
    gateway((text) => `${text}    - { name: other, port: 5004, protocol: UDP }\n`),
    "spec.listeners[1].port",
    11,
  ],
  [
    "MSM_GATEWAY_PORT_CONFLICT",
    "two Gateways on one port",
    yamlFile(gatewayYaml(), gatewayYaml({ name: "second" }), classYaml),
    "spec.listeners[0].port",
    20,
  ],
  [
    "MSM_FIELD_UNSUPPORTED",
    "an advertised address where nothing tells it",
    gateway((text) =>
      text.replace(
        "camera\n",
        "camera\n  annotations: { mediastreamingmesh.io/advertised-address: 192.0.2.1 }\n",
      ),
    ),
    'metadata.annotations["mediastreamingmesh.io/advertised-address"]',
    5,
  ],
];
