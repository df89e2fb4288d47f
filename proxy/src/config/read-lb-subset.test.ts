// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from "@msm/xds-protos";
import { expect, test } from "vitest";
import { read, refusal } from "./testdata/read.ts";
import { edsClusterJson } from "./testdata/resources.ts";

const POLICIES = "type.googleapis.com/envoy.extensions.load_balancing_policies";

const subsets: JsonObject = {
  fallback_policy: "DEFAULT_SUBSET",
  default_subset: { stage: "stable" },
  subset_selectors: [{ keys: ["stage", "site"], fallback_policy: "ANY_ENDPOINT" }, { keys: ["site"] }],
};

const plan = {
  fallback: "DEFAULT_SUBSET",
  defaultSubset: { stage: '"stable"' },
  selectors: [
    { keys: ["site", "stage"], fallback: "ANY_ENDPOINT" },
    { keys: ["site"], fallback: undefined },
  ],
};

const extension = (options: JsonObject): JsonObject => ({
  load_balancing_policy: {
    policies: [
      {
        typed_extension_config: {
          name: "subset",
          typed_config: { "@type": `${POLICIES}.subset.v3.Subset`, ...options },
        },
      },
    ],
  },
});

const inner = (type: string): JsonObject => ({
  policies: [{ typed_extension_config: { name: "inner", typed_config: { "@type": `${POLICIES}.${type}` } } }],
});

test("subsets are read from lb_subset_config and from the extension alike", async () => {
  const legacy = await read("cluster", "a", edsClusterJson("a", { lb_subset_config: subsets }));
  expect(legacy.balancing.subsets).toEqual(plan);
  const options = { ...subsets, subset_lb_policy: inner("random.v3.Random") };
  const { balancing } = await read("cluster", "a", edsClusterJson("a", extension(options)));
  expect(balancing).toMatchObject({ subsets: plan, policy: { kind: "RANDOM" } });
});

test("a cluster without selectors has no subsets", async () => {
  const json = edsClusterJson("a", { lb_subset_config: { fallback_policy: "ANY_ENDPOINT" } });
  expect((await read("cluster", "a", json)).balancing.subsets).toBeUndefined();
});

const selector = (changes: JsonObject): JsonObject => ({
  lb_subset_config: { subset_selectors: [{ keys: ["site"] }, { keys: ["stage"], ...changes }] },
});

test.each<[string, JsonObject, string]>([
  [
    "list_as_any",
    { lb_subset_config: { list_as_any: true } },
    "MSM_CONFIG_UNSUPPORTED_VALUE lb_subset_config.list_as_any",
  ],
  [
    "metadata_fallback_policy",
    { lb_subset_config: { metadata_fallback_policy: "FALLBACK_LIST" } },
    "MSM_CONFIG_UNSUPPORTED_FIELD lb_subset_config.metadata_fallback_policy",
  ],
  [
    "KEYS_SUBSET",
    selector({ fallback_policy: "KEYS_SUBSET" }),
    "MSM_CLUSTER_LB_SUBSET lb_subset_config.subset_selectors[1].fallback_policy",
  ],
  [
    "single_host_per_subset",
    selector({ single_host_per_subset: true }),
    "MSM_CONFIG_UNSUPPORTED_VALUE lb_subset_config.subset_selectors[1].single_host_per_subset",
  ],
  ["no keys", selector({ keys: [] }), "MSM_CONFIG_MISSING lb_subset_config.subset_selectors[1].keys"],
  [
    "the same keys twice",
    selector({ keys: ["site"] }),
    "MSM_CLUSTER_LB_SUBSET lb_subset_config.subset_selectors[1].keys",
  ],
  [
    "subsets beside load_balancing_policy",
    { lb_subset_config: subsets, ...extension({ ...subsets, subset_lb_policy: inner("random.v3.Random") }) },
    "MSM_CLUSTER_LB_SUBSET lb_subset_config",
  ],
])("is refused: %s", async (_, changes, expected) => {
  expect(await refusal("cluster", "a", edsClusterJson("a", changes))).toBe(expected);
});
