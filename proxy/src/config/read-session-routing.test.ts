// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from "@msm/xds-protos";
import { expect, test } from "vitest";
import { read, refusal } from "./testdata/read.ts";
import { listenerJson } from "./testdata/resources.ts";

const TYPES = "type.googleapis.com/envoy.extensions";
const NETWORK = `${TYPES}.matching.common_inputs.network.v3`;
const typed = (type: string, fields: JsonObject = {}) => ({
  name: "x",
  typed_config: { "@type": `${TYPES}.${type}`, ...fields },
});
const sourceIp = { name: "ip", typed_config: { "@type": `${NETWORK}.SourceIPInput` } };
const sourcePort = { name: "port", typed_config: { "@type": `${NETWORK}.SourcePortInput` } };
const destinationIp = { name: "ip", typed_config: { "@type": `${NETWORK}.DestinationIPInput` } };
const to = (cluster: string) => ({ action: typed("filters.udp.udp_proxy.v3.Route", { cluster }) });
const single = (fields: JsonObject) => ({ single_predicate: { input: sourceIp, ...fields } });
const ip = (cidr_ranges: JsonObject[]) => ({
  custom_match: typed("matching.input_matchers.ip.v3.Ip", { cidr_ranges, stat_prefix: "x" }),
});
const fraction = (default_value: JsonObject, more: JsonObject = {}) => ({
  custom_match: typed("matching.input_matchers.runtime_fraction.v3.RuntimeFraction", {
    runtime_fraction: { default_value },
    ...more,
  }),
});
const list = (predicate: JsonObject): JsonObject => ({
  matcher_list: { matchers: [{ predicate, on_match: to("canary") }] },
  on_no_match: to("stable"),
});

const listener = (matcher: JsonObject) => listenerJson("a", 5004, { udpProxy: { matcher } });

async function routing(matcher: JsonObject) {
  const { config } = (await read("listener", "a", listener(matcher))) as { config: object };
  return config;
}

test("a list of predicates becomes rules in its order", async () => {
  const predicate = {
    and_matcher: {
      predicate: [
        single(ip([{ address_prefix: "10.0.0.0", prefix_len: 8 }])),
        { not_matcher: single({ value_match: { exact: "10.0.0.1" } }) },
        single(fraction({ numerator: 5, denominator: "TEN_THOUSAND" }, { seed: 7 })),
      ],
    },
  };
  expect(await routing(list(predicate))).toMatchObject({
    cluster: "stable",
    rules: [
      {
        cluster: "canary",
        when: {
          kind: "ALL",
          of: [
            { kind: "RANGE", ranges: [{ address: "10.0.0.0", prefixLength: 8 }] },
            { kind: "NOT", of: { kind: "TEXT", input: "SOURCE_IP", test: "exact", value: "10.0.0.1" } },
            { kind: "FRACTION", input: "SOURCE_IP", numerator: 5, denominator: 10_000, seed: 7 },
          ],
        },
      },
    ],
  });
});

test("a map of exact values becomes a rule for each, and without on_no_match others get no cluster", async () => {
  const map = { "10.0.0.7": to("canary") };
  expect(await routing({ matcher_tree: { input: sourceIp, exact_match_map: { map } } })).toMatchObject({
    cluster: "",
    rules: [{ cluster: "canary", when: { kind: "TEXT", test: "exact", value: "10.0.0.7" } }],
  });
});

const MATCHER = "listener_filters[0].typed_config.matcher";
const FIRST = `${MATCHER}.matcher_list.matchers[0]`;
const ONE = `${FIRST}.predicate.single_predicate`;

test.each<[string, JsonObject, string]>([
  [
    "a destination",
    list({ single_predicate: { input: destinationIp, value_match: { exact: "10.0.0.1" } } }),
    `MSM_LISTENER_MATCHER ${ONE}.input.typed_config`,
  ],
  [
    "a regular expression",
    list(single({ value_match: { safe_regex: { google_re2: {}, regex: "10.*" } } })),
    `MSM_CONFIG_UNSUPPORTED_FIELD ${ONE}.value_match.safe_regex`,
  ],
  [
    "ranges of a port",
    list({ single_predicate: { input: sourcePort, ...ip([{ address_prefix: "10.0.0.0" }]) } }),
    `MSM_LISTENER_MATCHER ${ONE}.custom_match.typed_config`,
  ],
  [
    "a range that is none",
    list(single(ip([{ address_prefix: "10.0.0.0", prefix_len: 33 }]))),
    `MSM_CONFIG_INVALID ${ONE}.custom_match.typed_config.cidr_ranges[0].prefix_len`,
  ],
  [
    "a range of a name",
    list(single(ip([{ address_prefix: "cams", prefix_len: 8 }]))),
    `MSM_CONFIG_ADDRESS ${ONE}.custom_match.typed_config.cidr_ranges[0].address_prefix`,
  ],
  [
    "a runtime key",
    list(
      single({
        custom_match: typed("matching.input_matchers.runtime_fraction.v3.RuntimeFraction", {
          runtime_fraction: { runtime_key: "x", default_value: { numerator: 1 } },
        }),
      }),
    ),
    `MSM_CONFIG_UNSUPPORTED_VALUE ${ONE}.custom_match.typed_config.runtime_fraction.runtime_key`,
  ],
  [
    "a seed of 64 bits",
    list(single(fraction({ numerator: 1 }, { seed: "4294967296" }))),
    `MSM_CONFIG_UNSUPPORTED_VALUE ${ONE}.custom_match.typed_config.seed`,
  ],
  [
    "a consistent hash",
    list(
      single({
        custom_match: typed("matching.input_matchers.consistent_hashing.v3.ConsistentHashing", { modulo: 2 }),
      }),
    ),
    `MSM_LISTENER_MATCHER ${ONE}.custom_match.typed_config`,
  ],
  [
    "a matcher inside",
    {
      matcher_list: {
        matchers: [
          {
            predicate: single({ value_match: { exact: "10.0.0.1" } }),
            on_match: { matcher: { on_no_match: to("canary") } },
          },
        ],
      },
    },
    `MSM_LISTENER_MATCHER ${FIRST}.on_match`,
  ],
  [
    "prefixes",
    { matcher_tree: { input: sourceIp, prefix_match_map: { map: { "10.": to("canary") } } } },
    `MSM_CONFIG_UNSUPPORTED_FIELD ${MATCHER}.matcher_tree.prefix_match_map`,
  ],
  [
    "another action",
    { ...list(single({ value_match: { exact: "::" } })), on_no_match: { action: sourceIp } },
    `MSM_CONFIG_TYPE ${MATCHER}.on_no_match.action.typed_config`,
  ],
])("a matcher with %s is refused", async (_, matcher, expected) => {
  expect(await refusal("listener", "a", listener(matcher))).toBe(expected);
});

test("predicates far inside each other are refused, not followed without end", async () => {
  let predicate: JsonObject = single({ value_match: { exact: "::" } });
  for (let depth = 0; depth < 40; depth++) predicate = { not_matcher: predicate };
  expect(await refusal("listener", "a", listener(list(predicate)))).toContain("MSM_LISTENER_MATCHER");
});
