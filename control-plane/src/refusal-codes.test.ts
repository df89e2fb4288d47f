// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { ResourceStore } from "./mesh/resource-store.ts";
import type { ModuleFile } from "./model/raw-resource.ts";
import { type Refusal, refusalLine } from "./refusal.ts";
import { type RefusalCode, refusalCodes } from "./refusal-codes.ts";
import {
  classYaml,
  gatewayYaml,
  routeYaml,
  rtspMesh,
  rtspRouteYaml,
  smallMesh,
  yamlFile,
} from "./testing/mesh-yaml.ts";
import { readText } from "./testing/read-text.ts";
import { backendCases } from "./testing/refusal-cases/backend-cases.ts";
import { filterCases } from "./testing/refusal-cases/filter-cases.ts";
import { gatewayCases } from "./testing/refusal-cases/gateway-cases.ts";
import { resourceCases } from "./testing/refusal-cases/resource-cases.ts";
import { routeCases } from "./testing/refusal-cases/route-cases.ts";
import { rtspCases } from "./testing/refusal-cases/rtsp-cases.ts";

function refusalsOf(text: string, module?: ModuleFile): readonly Refusal[] {
  return new ResourceStore().apply(readText(text, module)).refusals;
}

const cases = [
  ...resourceCases,
  ...gatewayCases,
  ...routeCases,
  ...rtspCases,
  ...backendCases,
  ...filterCases,
];

for (const [code, title, text, field, line, moduleFile] of cases) {
  test(`${code}: refuses ${title}, naming field and line`, () => {
    const found = refusalsOf(text, moduleFile).map((refusal) => ({
      code: refusal.code,
      field: refusal.field,
      line: refusal.line,
    }));
    expect(found).toContainEqual({ code, field, line });
  });
}

// These need a file system, certificates or a defect of ours; their own tests are beside what raises them.
const raisedElsewhere: readonly RefusalCode[] = [
  "MSM_FILE_UNREADABLE",
  "MSM_FILE_TOO_LARGE",
  "MSM_FILE_EMPTY",
  "MSM_FILE_TOO_MANY_RESOURCES",
  "MSM_FILTER_TOO_LARGE",
  "MSM_FILTER_NOT_WASM",
  "MSM_MESH_INCONSISTENT",
  "MSM_GATEWAY_TLS",
  "MSM_SECRET_KIND",
  "MSM_SECRET_NOT_FOUND",
  "MSM_SECRET_NOT_GRANTED",
  "MSM_SECRET_CERTIFICATE",
  "MSM_SECRET_KEY",
];

test("every code has a case", () => {
  const covered = new Set([...cases.map(([code]) => code), ...raisedElsewhere]);
  expect([...covered].sort()).toEqual(Object.keys(refusalCodes).sort());
});

test("accepts a mesh in which everything fits", () => {
  expect(refusalsOf(smallMesh)).toEqual([]);
});

test("lets a UDP and an RTSP listener of two Gateways have one port, and RTSPRoutes share a listener", () => {
  const other = rtspRouteYaml({ name: "other", rule: "matches: [{ path: { value: /other } }]" });
  const text = yamlFile(rtspMesh, gatewayYaml({ port: 8554 }), routeYaml(), other);
  expect(refusalsOf(text)).toEqual([]);
});

test("suggests the field that was probably meant", () => {
  const refusals = refusalsOf(yamlFile(gatewayYaml().replace("port:", "prot:"), classYaml));
  expect(refusals.find(({ code }) => code === "MSM_FIELD_UNKNOWN")?.message).toContain(
    'Did you mean "port"?',
  );
});

test("names every fault of a resource at once", () => {
  const text = gatewayYaml().replace("5004", "0").replace("mediastreamingmesh.io/RTP", "HTTP");
  const codes = refusalsOf(text).map(({ code }) => code);
  expect(codes).toEqual(["MSM_FIELD_VALUE", "MSM_GATEWAY_PROTOCOL"]);
});

test("writes a refusal as one line that editors can jump to", () => {
  const [refusal] = refusalsOf(gatewayYaml());
  expect(refusalLine(refusal!)).toBe(
    "mesh.yaml:6:3 MSM_GATEWAY_CLASS_NOT_FOUND Gateway/default/camera spec.gatewayClassName: " +
      'there is no GatewayClass "msm"; add it or correct the name',
  );
});
