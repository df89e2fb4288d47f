// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { ModuleFile } from "../../model/raw-resource.ts";
import type { RefusalCode } from "../../refusal-codes.ts";
import {
  backendYaml,
  classYaml,
  gatewayYaml,
  routeYaml,
  rtspGatewayYaml,
  rtspRouteYaml,
  yamlFile,
} from "../mesh-yaml.ts";

/** What a text must be refused with: code, field and line. */
export type RefusalCase = readonly [
  code: RefusalCode,
  title: string,
  text: string,
  field: string,
  line: number,
  module?: ModuleFile,
];

/** A UDPRoute that was changed, and what it needs. */
export function route(change: (text: string) => string): string {
  return yamlFile(change(routeYaml()), classYaml, gatewayYaml(), backendYaml());
}

/** A Gateway that was changed, and its class. */
export function gateway(change: (text: string) => string): string {
  return yamlFile(change(gatewayYaml()), classYaml);
}

/** An RTSPRoute with this in its rule, and what it needs. */
export function rtsp(rule: string, more = ""): string {
  return yamlFile(rtspRouteYaml({ rule, more }), classYaml, rtspGatewayYaml(), backendYaml());
}
