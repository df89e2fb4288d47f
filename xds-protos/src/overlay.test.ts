// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { DescMessage } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { UdpProxyConfig_SessionFilterSchema } from "../gen/envoy/extensions/filters/udp/udp_proxy/v3/udp_proxy_pb.js";
import { FailurePolicySchema, PluginConfigSchema } from "../gen/envoy/extensions/wasm/v3/wasm_pb.js";
import * as discovery from "../gen/envoy/service/discovery/v3/discovery_pb.js";

function fieldNumbers(schema: DescMessage): Readonly<Record<string, number>> {
  return Object.fromEntries(schema.fields.map((field) => [field.name, field.number]));
}

test("session filters can come by ECDS, in the same oneof as their typed_config", () => {
  expect(fieldNumbers(UdpProxyConfig_SessionFilterSchema)).toEqual({
    name: 1,
    typed_config: 2,
    config_discovery: 3,
  });
  expect(UdpProxyConfig_SessionFilterSchema.oneofs[0]?.fields).toHaveLength(2);
});

test("a WASM plugin has Envoy's failure policy and reload configuration", () => {
  expect(fieldNumbers(PluginConfigSchema)).toMatchObject({ failure_policy: 7, reload_config: 8 });
  const values = FailurePolicySchema.values.map((value) => [value.name, value.number]);
  expect(values).toEqual([
    ["UNSPECIFIED", 0],
    ["FAIL_RELOAD", 1],
    ["FAIL_CLOSED", 2],
    ["FAIL_OPEN", 3],
  ]);
});

test("discovery responses can carry an error per resource", () => {
  expect(fieldNumbers(discovery.DiscoveryResponseSchema)).toMatchObject({ resource_errors: 7 });
  expect(fieldNumbers(discovery.DeltaDiscoveryResponseSchema)).toMatchObject({ resource_errors: 9 });
  expect(fieldNumbers(discovery.ResourceErrorSchema)).toEqual({ resource_name: 1, error_detail: 2 });
});
