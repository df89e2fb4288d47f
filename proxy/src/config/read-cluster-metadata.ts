// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from "@msm/xds-protos";
import type { Metadata } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import type { LeastBy } from "../cluster/least-request.ts";
import type { MediaPlan } from "../cluster/media-judge.ts";
import type { OutlierPlan } from "../cluster/outlier-plan.ts";
import type { ConfigCode } from "./codes.ts";
import { at, refuse } from "./refuse.ts";

/** What a cluster says in metadata, since Envoy has no field for it. Metadata do no harm to Envoy. */
export interface ClusterMetadata extends Pick<OutlierPlan, "silence" | "media"> {
  /** For how long endpoints that are taken out keep their sessions, in milliseconds: 0, not at all, unless said. */
  readonly drainLingerMs: number;
  /** By what LEAST_REQUEST compares endpoints: by their sessions unless said. */
  readonly leastBy: LeastBy;
}

const NAMESPACE = "io.mediastreamingmesh.cluster";
const FIELDS = [
  ...["drain_linger", "response_silence", "stream_silence"],
  ...["loss_threshold", "jitter_threshold", "least_request_by"],
];
/** Those that take endpoints out. */
const OUTLIER_FIELDS = FIELDS.slice(1, 5);
const DURATION = /^(\d{1,5})(\.\d{1,9})?s$/;
const LONGEST_MS = 86_400_000;
/** Counters are looked at every 100 ms, so that less could not be told from chance. */
const SHORTEST_SILENCE_MS = 200;
const SHORTEST_JITTER_MS = 1;

/** Reads `metadata.filter_metadata["io.mediastreamingmesh.cluster"]`. Throws a `ConfigError`. */
export function readClusterMetadata(
  metadata: Metadata | undefined,
  metadataPath: string,
  hasOutlierDetection: boolean,
): ClusterMetadata {
  const ours = metadata?.filterMetadata[NAMESPACE];
  if (ours === undefined) return { drainLingerMs: 0, leastBy: "sessions" };
  const path = at(metadataPath, `filter_metadata["${NAMESPACE}"]`);
  const names = Object.keys(ours);
  const unknown = names.find((name) => !FIELDS.includes(name));
  if (unknown !== undefined || names.length === 0) {
    refuse(
      "MSM_CLUSTER_METADATA",
      unknown === undefined ? path : at(path, unknown),
      `must be ${FIELDS.join(" or ")}`,
    );
  }
  if (!hasOutlierDetection && names.some((name) => OUTLIER_FIELDS.includes(name))) {
    const problem = "needs outlier_detection, which says how long such endpoints are out; add it";
    refuse("MSM_CLUSTER_SILENCE", path, problem);
  }
  return {
    drainLingerMs: readDuration(ours, "drain_linger", path, "MSM_CLUSTER_DRAIN_LINGER", 0) ?? 0,
    leastBy: readLeastBy(ours, path),
    ...readSilence(ours, path),
    ...readMedia(ours, path),
  };
}

function readLeastBy({ least_request_by: by = "sessions" }: JsonObject, path: string): LeastBy {
  if (by === "sessions" || by === "bits_per_second") return by;
  return refuse(
    "MSM_CLUSTER_METADATA",
    at(path, "least_request_by"),
    'must be "sessions" or "bits_per_second"',
  );
}

function readSilence(ours: JsonObject, path: string): Pick<OutlierPlan, "silence"> {
  const silenceOf = (name: string) =>
    readDuration(ours, name, path, "MSM_CLUSTER_SILENCE", SHORTEST_SILENCE_MS) ?? 0;
  const silence = { responseMs: silenceOf("response_silence"), streamMs: silenceOf("stream_silence") };
  return silence.responseMs > 0 || silence.streamMs > 0 ? { silence } : {};
}

function readMedia(ours: JsonObject, path: string): Pick<OutlierPlan, "media"> {
  const jitterMs = readDuration(ours, "jitter_threshold", path, "MSM_CLUSTER_MEDIA", SHORTEST_JITTER_MS);
  const loss = ours.loss_threshold;
  if (loss === undefined && jitterMs === undefined) return {};
  const lossPercent = loss ?? 100;
  if (typeof lossPercent !== "number" || !(lossPercent > 0 && lossPercent <= 100)) {
    return refuse(
      "MSM_CLUSTER_MEDIA",
      at(path, "loss_threshold"),
      "must be a number above 0, at most 100 percent",
    );
  }
  const media: MediaPlan = { lossPercent, jitterMs: jitterMs ?? Number.POSITIVE_INFINITY };
  return { media };
}

function readDuration(
  fields: JsonObject,
  name: string,
  path: string,
  code: ConfigCode,
  shortestMs: number,
): number | undefined {
  const written = fields[name];
  if (written === undefined) return undefined;
  const ms = typeof written === "string" && DURATION.test(written) ? Number.parseFloat(written) * 1000 : -1;
  if (ms < shortestMs || ms > LONGEST_MS) {
    const least = shortestMs === 0 ? "" : `, at least "${shortestMs / 1000}s"`;
    refuse(code, at(path, name), `must be a duration such as "30s"${least}, at most a day`);
  }
  return ms;
}
