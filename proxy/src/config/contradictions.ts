// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from "@msm/xds-protos";
import type { ConfigCode } from "./codes.ts";

/** Fields of a cluster that are well by themselves and not together: what they are refused with. */
export interface Contradiction {
  readonly what: string;
  readonly code: ConfigCode;
  readonly field: string;
  readonly cluster: JsonObject;
}

const LB = "type.googleapis.com/envoy.extensions.load_balancing_policies";
const METADATA = "io.mediastreamingmesh.cluster";

const ads = { ads: {}, resource_api_version: "V3" };
const eds: JsonObject = { type: "EDS", eds_cluster_config: { eds_config: ads } };
const policyOf = (type: string, options: JsonObject = {}): JsonObject => ({
  policies: [
    { typed_extension_config: { name: "a", typed_config: { "@type": `${LB}.${type}`, ...options } } },
  ],
});
const metadata = (fields: JsonObject): JsonObject => ({ filter_metadata: { [METADATA]: fields } });
const selectors = [{ keys: ["site"] }];

/** Every contradiction that is looked for in clusters: for the table, and for the test that keeps it true. */
export const contradictions: readonly Contradiction[] = [
  {
    what: "options of another `lb_policy`",
    ...{ code: "MSM_CLUSTER_LB_POLICY", field: "maglev_lb_config" },
    cluster: { ...eds, lb_policy: "RANDOM", maglev_lb_config: {} },
  },
  {
    what: "options of `lb_policy` beside `load_balancing_policy`",
    ...{ code: "MSM_CLUSTER_LB_POLICY", field: "ring_hash_lb_config" },
    cluster: { ...eds, load_balancing_policy: policyOf("random.v3.Random"), ring_hash_lb_config: {} },
  },
  {
    what: "`lb_subset_config` beside `load_balancing_policy`",
    ...{ code: "MSM_CLUSTER_LB_SUBSET", field: "lb_subset_config" },
    cluster: { ...eds, load_balancing_policy: policyOf("random.v3.Random"), lb_subset_config: {} },
  },
  {
    what: "two selectors of the same keys",
    ...{ code: "MSM_CLUSTER_LB_SUBSET", field: "lb_subset_config.subset_selectors[1].keys" },
    cluster: { ...eds, lb_subset_config: { subset_selectors: [...selectors, ...selectors] } },
  },
  {
    what: "a ring whose smallest size is above its largest",
    ...{ code: "MSM_CONFIG_INVALID", field: "ring_hash_lb_config.minimum_ring_size" },
    cluster: {
      ...eds,
      lb_policy: "RING_HASH",
      ring_hash_lb_config: { minimum_ring_size: 10, maximum_ring_size: 5 },
    },
  },
  {
    what: "a MAGLEV table whose size is not prime",
    ...{ code: "MSM_CONFIG_INVALID", field: "maglev_lb_config.table_size" },
    cluster: { ...eds, lb_policy: "MAGLEV", maglev_lb_config: { table_size: 100 } },
  },
  {
    what: "endpoints inside a cluster of type EDS",
    ...{ code: "MSM_CONFIG_UNSUPPORTED_FIELD", field: "load_assignment" },
    cluster: { ...eds, load_assignment: { cluster_name: "a" } },
  },
  {
    what: "EDS for a cluster of another type",
    ...{ code: "MSM_CONFIG_UNSUPPORTED_FIELD", field: "eds_cluster_config" },
    cluster: { ...eds, type: "STATIC", load_assignment: { cluster_name: "a" } },
  },
  {
    what: "DNS settings where endpoints have addresses",
    ...{ code: "MSM_CLUSTER_DNS", field: "dns_refresh_rate" },
    cluster: { ...eds, dns_refresh_rate: "5s" },
  },
  {
    what: "silence, loss or jitter without `outlier_detection`",
    ...{ code: "MSM_CLUSTER_SILENCE", field: `metadata.filter_metadata["${METADATA}"]` },
    cluster: { ...eds, metadata: metadata({ loss_threshold: 5 }) },
  },
  {
    what: "`least_request_by` under another policy",
    ...{ code: "MSM_CLUSTER_METADATA", field: "metadata" },
    cluster: { ...eds, lb_policy: "RANDOM", metadata: metadata({ least_request_by: "bits_per_second" }) },
  },
  {
    what: "`least_request_by: bits_per_second` beside `active_request_bias`",
    ...{ code: "MSM_CLUSTER_METADATA", field: "metadata" },
    cluster: {
      ...{ ...eds, lb_policy: "LEAST_REQUEST", metadata: metadata({ least_request_by: "bits_per_second" }) },
      least_request_lb_config: { active_request_bias: { default_value: 2, runtime_key: "a" } },
    },
  },
];

/** The contradictions in Markdown. */
export function contradictionTable(): string {
  const rows = contradictions.map(({ what, code, field }) => `| ${what} | \`${code}\` | \`${field}\` |`);
  return ["| contradiction | code | path |", "|---|---|---|", ...rows].join("\n");
}
