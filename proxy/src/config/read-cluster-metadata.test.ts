// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from "@msm/xds-protos";
import { expect, test } from "vitest";
import { read, refusal } from "./testdata/read.ts";
import { edsClusterJson } from "./testdata/resources.ts";

const NAMESPACE = "io.mediastreamingmesh.cluster";
const withOurs = (ours: JsonObject, changes: JsonObject = { outlier_detection: {} }) =>
  edsClusterJson("a", {
    metadata: { filter_metadata: { [NAMESPACE]: ours, "com.example": {} } },
    ...changes,
  });

const outliersOf = async (ours: JsonObject) => (await read("cluster", "a", withOurs(ours))).outliers;

test("endpoints that are taken out keep their sessions as long as drain_linger says", async () => {
  expect((await read("cluster", "a", edsClusterJson("a"))).drainLingerMs).toBe(0);
  expect((await read("cluster", "a", withOurs({ drain_linger: "1.5s" }, {}))).drainLingerMs).toBe(1500);
});

test("silence, loss and jitter are a part of outlier detection", async () => {
  expect(await outliersOf({ response_silence: "2s", stream_silence: "0.5s" })).toMatchObject({
    silence: { responseMs: 2000, streamMs: 500 },
  });
  const one = await outliersOf({ stream_silence: "0.5s", drain_linger: "1s" });
  expect(one?.silence).toEqual({ responseMs: 0, streamMs: 500 });
  expect(one?.media).toBeUndefined();
  const media = { loss_threshold: 2.5, jitter_threshold: "0.03s" };
  expect((await outliersOf(media))?.media).toEqual({ lossPercent: 2.5, jitterMs: 30 });
  expect((await outliersOf({ loss_threshold: 5 }))?.media).toEqual({ lossPercent: 5, jitterMs: Infinity });
  expect((await outliersOf({ jitter_threshold: "0.1s" }))?.media).toEqual({
    lossPercent: 100,
    jitterMs: 100,
  });
});

test("LEAST_REQUEST compares what least_request_by says", async () => {
  const leastOf = async (ours: JsonObject) =>
    (await read("cluster", "a", withOurs(ours, { lb_policy: "LEAST_REQUEST" }))).balancing.policy;
  expect(await leastOf({ least_request_by: "bits_per_second" })).toMatchObject({
    leastBy: "bits_per_second",
  });
  expect(await leastOf({ least_request_by: "sessions" })).not.toHaveProperty("leastBy");
});

test.each<[JsonObject, JsonObject, string, string]>([
  [{ drain_linger: "5 minutes" }, {}, "MSM_CLUSTER_DRAIN_LINGER", ".drain_linger"],
  [{ drain_linger: "86401s" }, {}, "MSM_CLUSTER_DRAIN_LINGER", ".drain_linger"],
  [{}, {}, "MSM_CLUSTER_METADATA", ""],
  [{ drain_linger: "1s", drain: true }, {}, "MSM_CLUSTER_METADATA", ".drain"],
  [{ response_silence: "0.1s" }, { outlier_detection: {} }, "MSM_CLUSTER_SILENCE", ".response_silence"],
  [{ stream_silence: 5 }, { outlier_detection: {} }, "MSM_CLUSTER_SILENCE", ".stream_silence"],
  [{ stream_silence: "5s" }, {}, "MSM_CLUSTER_SILENCE", ""],
  [{ loss_threshold: 5 }, {}, "MSM_CLUSTER_SILENCE", ""],
  [{ loss_threshold: 0 }, { outlier_detection: {} }, "MSM_CLUSTER_MEDIA", ".loss_threshold"],
  [{ loss_threshold: "5%" }, { outlier_detection: {} }, "MSM_CLUSTER_MEDIA", ".loss_threshold"],
  [{ jitter_threshold: "0.0001s" }, { outlier_detection: {} }, "MSM_CLUSTER_MEDIA", ".jitter_threshold"],
  [
    { least_request_by: "bytes" },
    { lb_policy: "LEAST_REQUEST" },
    "MSM_CLUSTER_METADATA",
    ".least_request_by",
  ],
])("%j beside %j is refused", async (ours, changes, code, field) => {
  const path = `metadata.filter_metadata["${NAMESPACE}"]`;
  expect(await refusal("cluster", "a", withOurs(ours, changes))).toBe(`${code} ${path}${field}`);
});

test("least_request_by beside another policy is refused", async () => {
  const json = withOurs({ least_request_by: "bits_per_second" }, { lb_policy: "RANDOM" });
  expect(await refusal("cluster", "a", json)).toBe("MSM_CLUSTER_METADATA metadata");
});
