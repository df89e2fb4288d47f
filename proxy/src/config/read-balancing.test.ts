// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from "@msm/xds-protos";
import { describe, expect, test } from "vitest";
import { read, refusal } from "./testdata/read.ts";
import { edsClusterJson, listenerJson } from "./testdata/resources.ts";

const POLICIES = "type.googleapis.com/envoy.extensions.load_balancing_policies";

function extension(policy: string, message: string, options: JsonObject = {}): JsonObject {
  const typed_config = { "@type": `${POLICIES}.${policy}.v3.${message}`, ...options };
  return { typed_extension_config: { name: policy, typed_config } };
}

const policies = (...list: readonly JsonObject[]): JsonObject => ({
  load_balancing_policy: { policies: [...list] },
});

async function balancing(changes: JsonObject) {
  return (await read("cluster", "a", edsClusterJson("a", changes))).balancing;
}

const slowStart = { windowMs: 10_000, aggression: 2, leastFactor: 0.2 };
const slow_start_config = {
  slow_start_window: "10s",
  aggression: { default_value: 2, runtime_key: "x" },
  min_weight_percent: { value: 20 },
};

describe("a cluster's policy", () => {
  test.each<[string, JsonObject, object]>([
    ["none", {}, { kind: "ROUND_ROBIN" }],
    [
      "ROUND_ROBIN with slow start",
      { round_robin_lb_config: { slow_start_config } },
      { kind: "ROUND_ROBIN", slowStart },
    ],
    [
      "LEAST_REQUEST",
      { lb_policy: "LEAST_REQUEST" },
      { kind: "LEAST_REQUEST", choiceCount: 2, activeRequestBias: 1 },
    ],
    [
      "LEAST_REQUEST with options",
      {
        lb_policy: "LEAST_REQUEST",
        least_request_lb_config: {
          choice_count: 5,
          active_request_bias: { default_value: 0.5, runtime_key: "x" },
          slow_start_config,
        },
      },
      { kind: "LEAST_REQUEST", choiceCount: 5, activeRequestBias: 0.5, slowStart },
    ],
    ["RANDOM", { lb_policy: "RANDOM" }, { kind: "RANDOM" }],
    [
      "RING_HASH",
      { lb_policy: "RING_HASH", ring_hash_lb_config: { minimum_ring_size: 2048 } },
      { kind: "RING_HASH", minimumRingSize: 2048, maximumRingSize: 8_388_608 },
    ],
    ["MAGLEV", { lb_policy: "MAGLEV" }, { kind: "MAGLEV", tableSize: 65_537 }],
    [
      "MAGLEV with options",
      { lb_policy: "MAGLEV", maglev_lb_config: { table_size: 1009 } },
      { kind: "MAGLEV", tableSize: 1009 },
    ],
    [
      "the extension RoundRobin",
      policies(extension("round_robin", "RoundRobin", { slow_start_config })),
      { kind: "ROUND_ROBIN", slowStart },
    ],
    [
      "the extension LeastRequest",
      policies(extension("least_request", "LeastRequest", { choice_count: 3 })),
      { kind: "LEAST_REQUEST", choiceCount: 3 },
    ],
    ["the extension Random", policies(extension("random", "Random")), { kind: "RANDOM" }],
    [
      "the extension RingHash",
      policies(extension("ring_hash", "RingHash", { hash_function: "XX_HASH", minimum_ring_size: 10 })),
      { kind: "RING_HASH", minimumRingSize: 10 },
    ],
    [
      "the extension Maglev",
      policies(extension("maglev", "Maglev", { table_size: 1009 })),
      { kind: "MAGLEV", tableSize: 1009 },
    ],
    [
      "the first extension of a list that is here",
      policies(extension("pick_first", "PickFirst"), extension("random", "Random")),
      { kind: "RANDOM" },
    ],
  ])("is read: %s", async (_, changes, expected) => {
    expect((await balancing(changes)).policy).toMatchObject(expected);
  });

  test.each<[string, JsonObject]>([
    ["common_lb_config", { common_lb_config: { locality_weighted_lb_config: {} } }],
    [
      "locality_lb_config",
      policies(extension("random", "Random", { locality_lb_config: { locality_weighted_lb_config: {} } })),
    ],
    [
      "the hash policies' own field",
      policies(extension("maglev", "Maglev", { locality_weighted_lb_config: {} })),
    ],
    [
      "WrrLocality",
      policies(
        extension("wrr_locality", "WrrLocality", {
          endpoint_picking_policy: { policies: [extension("round_robin", "RoundRobin")] },
        }),
      ),
    ],
  ])("weights localities by %s", async (_, changes) => {
    expect((await balancing(changes)).isLocalityWeighted).toBe(true);
    expect((await balancing({})).isLocalityWeighted).toBe(false);
  });

  test("has Envoy's panic threshold unless said, and a limit of sessions where there is one", async () => {
    expect(await balancing({})).toMatchObject({ panicThreshold: 50, maxSessions: Number.POSITIVE_INFINITY });
    expect(
      await balancing({
        common_lb_config: { healthy_panic_threshold: { value: 0 } },
        circuit_breakers: { thresholds: [{ max_connections: 7, max_requests: 3 }] },
      }),
    ).toMatchObject({ panicThreshold: 0, maxSessions: 7 });
  });
});

const P0 = "load_balancing_policy.policies[0].typed_extension_config.typed_config";

test.each<[string, JsonObject, string]>([
  ["CLUSTER_PROVIDED", { lb_policy: "CLUSTER_PROVIDED" }, "MSM_CLUSTER_LB_POLICY lb_policy"],
  [
    "the options of another policy",
    { lb_policy: "MAGLEV", ring_hash_lb_config: {} },
    "MSM_CLUSTER_LB_POLICY ring_hash_lb_config",
  ],
  [
    "options beside an extension",
    { ...policies(extension("random", "Random")), ring_hash_lb_config: {} },
    "MSM_CLUSTER_LB_POLICY ring_hash_lb_config",
  ],
  [
    "no extension that is here",
    policies(extension("pick_first", "PickFirst")),
    "MSM_CLUSTER_LB_POLICY load_balancing_policy",
  ],
  [
    "another hash function",
    { lb_policy: "RING_HASH", ring_hash_lb_config: { hash_function: "MURMUR_HASH_2" } },
    "MSM_CONFIG_UNSUPPORTED_VALUE ring_hash_lb_config.hash_function",
  ],
  [
    "another hash function in an extension",
    policies(extension("ring_hash", "RingHash", { hash_function: "MURMUR_HASH_2" })),
    `MSM_CONFIG_UNSUPPORTED_VALUE ${P0}.hash_function`,
  ],
  [
    "a ring that is smaller than its least size",
    { lb_policy: "RING_HASH", ring_hash_lb_config: { minimum_ring_size: 100, maximum_ring_size: 10 } },
    "MSM_CONFIG_INVALID ring_hash_lb_config.minimum_ring_size",
  ],
  [
    "a table of a size that is no prime",
    { lb_policy: "MAGLEV", maglev_lb_config: { table_size: 1000 } },
    "MSM_CONFIG_INVALID maglev_lb_config.table_size",
  ],
  [
    "bounded loads",
    policies(extension("maglev", "Maglev", { consistent_hashing_lb_config: { hash_balance_factor: 150 } })),
    `MSM_CONFIG_UNSUPPORTED_FIELD ${P0}.consistent_hashing_lb_config.hash_balance_factor`,
  ],
  [
    "a full scan",
    policies(extension("least_request", "LeastRequest", { selection_method: "FULL_SCAN" })),
    `MSM_CONFIG_UNSUPPORTED_VALUE ${P0}.selection_method`,
  ],
  [
    "awareness of zones",
    { common_lb_config: { zone_aware_lb_config: {} } },
    "MSM_CONFIG_UNSUPPORTED_FIELD common_lb_config.zone_aware_lb_config",
  ],
  [
    "awareness of zones in an extension",
    policies(extension("random", "Random", { locality_lb_config: { zone_aware_lb_config: {} } })),
    `MSM_CONFIG_UNSUPPORTED_FIELD ${P0}.locality_lb_config.zone_aware_lb_config`,
  ],
])("a cluster with %s is refused", async (_, changes, expected) => {
  expect(await refusal("cluster", "a", edsClusterJson("a", changes))).toBe(expected);
});

test.each<[JsonObject, object]>([
  [{ source_ip: true }, { kind: "SOURCE_IP" }],
  [{ key: "room-1" }, { kind: "KEY", key: "room-1" }],
])("a listener's hash policy is read: %j", async (policy, hashPolicy) => {
  const json = listenerJson("a", 5004, { udpProxy: { hash_policies: [policy] } });
  expect((await read("listener", "a", json)).config).toMatchObject({ hashPolicy });
});
