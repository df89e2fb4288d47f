// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from "@msm/xds-protos";
import { expect, test } from "vitest";
import { read, refusal } from "./testdata/read.ts";
import { edsClusterJson } from "./testdata/resources.ts";

const outliers = async (outlier_detection: JsonObject) =>
  (await read("cluster", "a", edsClusterJson("a", { outlier_detection }))).outliers;

test("outlier detection has Envoy's defaults", async () => {
  expect(await outliers({})).toEqual({
    ...{ consecutiveErrors: 5, baseEjectionMs: 30_000, longestEjectionMs: 300_000 },
    ...{ maxEjectionPercent: 10, intervalMs: 10_000 },
  });
  expect((await read("cluster", "a", edsClusterJson("a"))).outliers).toBeUndefined();
});

test("errors of sockets count as local ones where these are split off, and with the others where not", async () => {
  const both = { consecutive_5xx: 7, consecutive_local_origin_failure: 3 };
  expect((await outliers(both))!.consecutiveErrors).toBe(7);
  expect((await outliers({ ...both, split_external_local_origin_errors: true }))!.consecutiveErrors).toBe(3);
  expect((await outliers({ ...both, enforcing_consecutive_5xx: 0 }))!.consecutiveErrors).toBe(0);
});

test.each<[JsonObject, string]>([
  [{ enforcing_success_rate: 100 }, "MSM_CONFIG_UNSUPPORTED_VALUE outlier_detection.enforcing_success_rate"],
  [
    { enforcing_consecutive_5xx: 50 },
    "MSM_CONFIG_UNSUPPORTED_VALUE outlier_detection.enforcing_consecutive_5xx",
  ],
  [
    { success_rate_minimum_hosts: 3 },
    "MSM_CONFIG_UNSUPPORTED_FIELD outlier_detection.success_rate_minimum_hosts",
  ],
])("%j is refused", async (outlier_detection, expected) => {
  expect(await refusal("cluster", "a", edsClusterJson("a", { outlier_detection }))).toBe(expected);
});
