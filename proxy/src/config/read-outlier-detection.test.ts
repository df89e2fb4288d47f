// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from "@msm/xds-protos";
import { expect, test } from "vitest";
import { read, refusal } from "./testdata/read.ts";
import { edsClusterJson } from "./testdata/resources.ts";

const outliers = async (outlier_detection: JsonObject) =>
  (await read("cluster", "a", edsClusterJson("a", { outlier_detection }))).outliers;

const always = (limit: number) => ({ limit, enforcing: 100 });
const both = { external: 100, local: 100 };
const neither = { external: 0, local: 0 };

test("outlier detection has Envoy's defaults", async () => {
  expect(await outliers({})).toEqual({
    consecutive: {
      isSplit: false,
      serverErrors: always(5),
      gatewayErrors: { limit: 5, enforcing: 0 },
      localErrors: always(5),
    },
    successRate: { minimumHosts: 5, requestVolume: 100, deviations: 1.9, enforcing: both },
    failurePercentage: { minimumHosts: 5, requestVolume: 50, threshold: 85, enforcing: neither },
    ...{ baseEjectionMs: 30_000, longestEjectionMs: 300_000, ejectionJitterMs: 0 },
    ...{ maxEjectionPercent: 10, intervalMs: 10_000 },
  });
  expect((await read("cluster", "a", edsClusterJson("a"))).outliers).toBeUndefined();
});

test("every value that is set is taken", async () => {
  const written = {
    ...{ split_external_local_origin_errors: true, consecutive_5xx: 7, enforcing_consecutive_5xx: 50 },
    ...{ consecutive_gateway_failure: 4, enforcing_consecutive_gateway_failure: 60 },
    ...{ consecutive_local_origin_failure: 3, enforcing_consecutive_local_origin_failure: 70 },
    ...{ success_rate_minimum_hosts: 2, success_rate_request_volume: 9, success_rate_stdev_factor: 1500 },
    ...{ enforcing_success_rate: 10, enforcing_local_origin_success_rate: 20 },
    ...{ failure_percentage_minimum_hosts: 8, failure_percentage_request_volume: 6 },
    ...{ failure_percentage_threshold: 40, enforcing_failure_percentage: 30 },
    ...{ enforcing_failure_percentage_local_origin: 90 },
    ...{ base_ejection_time: "2s", max_ejection_time: "9s", max_ejection_time_jitter: "0.5s" },
    ...{ max_ejection_percent: 33, interval: "4s", always_eject_one_host: true },
  };
  expect(await outliers(written)).toEqual({
    consecutive: {
      isSplit: true,
      serverErrors: { limit: 7, enforcing: 50 },
      gatewayErrors: { limit: 4, enforcing: 60 },
      localErrors: { limit: 3, enforcing: 70 },
    },
    successRate: {
      ...{ minimumHosts: 2, requestVolume: 9, deviations: 1.5 },
      enforcing: { external: 10, local: 20 },
    },
    failurePercentage: {
      ...{ minimumHosts: 8, requestVolume: 6, threshold: 40 },
      enforcing: { external: 30, local: 90 },
    },
    ...{ baseEjectionMs: 2000, longestEjectionMs: 9000, ejectionJitterMs: 500 },
    ...{ maxEjectionPercent: 33, intervalMs: 4000 },
  });
});

test.each<[JsonObject, string]>([
  [
    { successful_active_health_check_uneject_host: true },
    "MSM_CONFIG_UNSUPPORTED_VALUE outlier_detection.successful_active_health_check_uneject_host",
  ],
  [{ always_eject_one_host: false }, "MSM_CONFIG_UNSUPPORTED_VALUE outlier_detection.always_eject_one_host"],
  [
    {
      monitors: [
        { name: "m", typed_config: { "@type": "type.googleapis.com/google.protobuf.Struct", value: {} } },
      ],
    },
    "MSM_CONFIG_UNSUPPORTED_FIELD outlier_detection.monitors",
  ],
])("%j is refused", async (outlier_detection, expected) => {
  expect(await refusal("cluster", "a", edsClusterJson("a", { outlier_detection }))).toBe(expected);
});
