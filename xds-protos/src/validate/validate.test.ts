// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { type Cluster_LbPolicy, ClusterSchema } from "../../gen/envoy/config/cluster/v3/cluster_pb.js";
import { AddressSchema } from "../../gen/envoy/config/core/v3/address_pb.js";
import { MetadataSchema } from "../../gen/envoy/config/core/v3/base_pb.js";
import { HealthCheckSchema } from "../../gen/envoy/config/core/v3/health_check_pb.js";
import { ClusterLoadAssignmentSchema } from "../../gen/envoy/config/endpoint/v3/endpoint_pb.js";
import {
  InternalRedirectPolicySchema,
  VirtualHostSchema,
} from "../../gen/envoy/config/route/v3/route_components_pb.js";
import { UdpProxyConfigSchema } from "../../gen/envoy/extensions/filters/udp/udp_proxy/v3/udp_proxy_pb.js";
import { type Matcher, MatcherSchema } from "../../gen/xds/type/matcher/v3/matcher_pb.js";
import { validate } from "./validate.ts";

/** What is wrong with a message, as "path: rule". */
function wrong<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): readonly string[] {
  return validate(schema, create(schema, init)).map(({ path, rule }) => `${path}: ${rule}`);
}

const tcp = { healthChecker: { case: "tcpHealthCheck", value: {} } } as const;
const second = { seconds: 1n };

test("says where, in proto names, which rule and what is wrong", () => {
  const assignment = create(ClusterLoadAssignmentSchema, {
    clusterName: "cams",
    endpoints: [{ lbEndpoints: [{ loadBalancingWeight: 1 }, { loadBalancingWeight: 0 }] }],
  });
  expect(validate(ClusterLoadAssignmentSchema, assignment)).toEqual([
    {
      path: "endpoints[0].lb_endpoints[1].load_balancing_weight",
      rule: "uint32.gte",
      message: "must be at least 1",
    },
  ]);
});

test("reports everything that is wrong at once", () => {
  const lbPolicy = 99 as Cluster_LbPolicy;
  expect(wrong(ClusterSchema, { lbPolicy, connectTimeout: {} })).toEqual([
    "name: string.min_len",
    "connect_timeout: duration.gt",
    "lb_policy: enum.defined_only",
  ]);
});

test("a wrapper that is not set breaks no bound, but may be required", () => {
  const times = { timeout: second, interval: second, ...tcp };
  expect(wrong(HealthCheckSchema, times)).toEqual([
    "unhealthy_threshold: message.required",
    "healthy_threshold: message.required",
  ]);
  expect(wrong(HealthCheckSchema, { ...times, unhealthyThreshold: 3, healthyThreshold: 1 })).toEqual([]);
  expect(wrong(ClusterLoadAssignmentSchema, { clusterName: "a", endpoints: [{}] })).toEqual([]);
});

test("a duration may be required", () => {
  expect(
    wrong(HealthCheckSchema, { interval: second, unhealthyThreshold: 3, healthyThreshold: 1, ...tcp }),
  ).toEqual(["timeout: duration.required"]);
});

test("one member of a required oneof must be chosen, and only that one is checked", () => {
  expect(wrong(AddressSchema, {})).toEqual(["address: oneof.required"]);
  expect(wrong(AddressSchema, { address: { case: "pipe", value: { path: "/run/a" } } })).toEqual([]);
  const portSpecifier = { case: "portValue", value: 65_536 } as const;
  const socketAddress = { address: "192.0.2.1", portSpecifier };
  expect(wrong(AddressSchema, { address: { case: "socketAddress", value: socketAddress } })).toEqual([
    "socket_address.port_value: uint32.lte",
  ]);
});

test("a bool inside a oneof may have to be true", () => {
  const hashPolicies = [{ policySpecifier: { case: "sourceIp", value: false } }] as const;
  const config = { statPrefix: "a", routeSpecifier: { case: "cluster", value: "b" } } as const;
  expect(wrong(UdpProxyConfigSchema, { ...config, hashPolicies: [...hashPolicies] })).toEqual([
    "hash_policies[0].source_ip: bool.const",
  ]);
});

test("lists have bounds, and their items rules of their own", () => {
  expect(wrong(VirtualHostSchema, { name: "v" })).toEqual(["domains: repeated.min_items"]);
  expect(wrong(VirtualHostSchema, { name: "v", domains: ["a", "b\r\n"] })).toEqual([
    "domains[1]: string.well_known_regex",
  ]);
  expect(wrong(InternalRedirectPolicySchema, { responseHeadersToCopy: ["a", "b", "a"] })).toEqual([
    "response_headers_to_copy: repeated.unique",
  ]);
});

test("maps have bounds, and their keys rules of their own", () => {
  expect(wrong(MetadataSchema, { filterMetadata: { "": { a: 1 }, b: {} } })).toEqual([
    'filter_metadata[""]: string.min_len',
  ]);
  const tree = { input: { name: "i", typedConfig: {} } } as const;
  const map = (entries: Record<string, object>) =>
    ({
      matcherType: {
        case: "matcherTree",
        value: { ...tree, treeType: { case: "exactMatchMap", value: { map: entries } } },
      },
    }) as const;
  expect(wrong(MatcherSchema, map({}))).toEqual(["matcher_tree.exact_match_map.map: map.min_pairs"]);
  expect(wrong(MatcherSchema, map({ "192.0.2.7": {} }))).toEqual([
    'matcher_tree.exact_match_map.map["192.0.2.7"].on_match: oneof.required',
  ]);
});

test("a message that contains itself ends at a bound", () => {
  const matcher = create(MatcherSchema) as Matcher;
  const onMatch = create(MatcherSchema, {
    onNoMatch: { onMatch: { case: "matcher", value: matcher } },
  }).onNoMatch!;
  Object.assign(matcher, { onNoMatch: { ...onMatch, onMatch: { case: "matcher", value: matcher } } });
  const violations = validate(MatcherSchema, matcher);
  expect(violations.filter(({ rule }) => rule === "depth")).toHaveLength(1);
});
