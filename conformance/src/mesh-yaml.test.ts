// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { meshYaml } from "./mesh-yaml.ts";

test("writes a Gateway listener with a route and a Backend for each, and the clocks for the statistics", () => {
  const endpoints = [{ address: "127.0.0.1", port: 6004 }];
  const yaml = meshYaml({
    address: "::1",
    clockRates: { "96": 90_000 },
    listeners: [{ name: "video", port: 5004, isRtp: true, endpoints }],
  });
  const resources = parseAllDocuments(yaml).map((document) => document.toJS());
  expect(resources.map(({ kind }) => kind)).toEqual([
    "GatewayClass",
    "Gateway",
    "UDPRoute",
    "Backend",
    "WasmFilter",
  ]);
  expect(resources[1].spec.addresses).toEqual([{ type: "IPAddress", value: "::1" }]);
  expect(resources[1].spec.listeners).toEqual([
    { name: "video", port: 5004, protocol: "mediastreamingmesh.io/RTP" },
  ]);
  expect(resources[3].spec.endpoints).toEqual(endpoints);
});
