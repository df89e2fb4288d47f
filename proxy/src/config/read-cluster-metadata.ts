// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { JsonObject, JsonValue } from "@msm/xds-protos";
import type { Metadata } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import type { SilencePlan } from "../cluster/silence-watch.ts";
import type { ConfigCode } from "./codes.ts";
import { at, refuse } from "./refuse.ts";

/** What a cluster says in metadata, since Envoy has no field for it. Metadata do no harm to Envoy. */
export interface ClusterMetadata {
  /** For how long endpoints that are taken out keep their sessions, in milliseconds: 0, not at all, unless said. */
  readonly drainLingerMs: number;
  /** When silent endpoints are taken out; never unless said. */
  readonly silence: SilencePlan | undefined;
}

const NAMESPACE = "io.mediastreamingmesh.cluster";
const FIELDS = ["drain_linger", "response_silence", "stream_silence"];
const DURATION = /^(\d{1,5})(\.\d{1,9})?s$/;
const LONGEST_MS = 86_400_000;
/** Counters are looked at every 100 ms, so that less could not be told from chance. */
const SHORTEST_SILENCE_MS = 200;

/** Reads `metadata.filter_metadata["io.mediastreamingmesh.cluster"]`. Throws a `ConfigError`. */
export function readClusterMetadata(
  metadata: Metadata | undefined,
  metadataPath: string,
  hasOutlierDetection: boolean,
): ClusterMetadata {
  const ours = metadata?.filterMetadata[NAMESPACE];
  if (ours === undefined) return { drainLingerMs: 0, silence: undefined };
  const path = at(metadataPath, `filter_metadata["${NAMESPACE}"]`);
  const names = Object.keys(ours);
  const unknown = names.find((name) => !FIELDS.includes(name));
  if (unknown !== undefined || names.length === 0) {
    refuse("MSM_CLUSTER_DRAIN_LINGER", at(path, unknown ?? "drain_linger"), `must be ${FIELDS.join(" or ")}`);
  }
  const drainLingerMs = readDuration(ours, "drain_linger", path, "MSM_CLUSTER_DRAIN_LINGER", 0);
  const silenceOf = (name: string) =>
    readDuration(ours, name, path, "MSM_CLUSTER_SILENCE", SHORTEST_SILENCE_MS);
  const silence = {
    responseMs: silenceOf("response_silence"),
    streamMs: silenceOf("stream_silence"),
  };
  const isSilenceSaid = silence.responseMs > 0 || silence.streamMs > 0;
  if (isSilenceSaid && !hasOutlierDetection) {
    const problem = "needs outlier_detection, which says how long silent endpoints are out; add it";
    refuse("MSM_CLUSTER_SILENCE", path, problem);
  }
  return { drainLingerMs, silence: isSilenceSaid ? silence : undefined };
}

function readDuration(
  fields: JsonObject,
  name: string,
  path: string,
  code: ConfigCode,
  shortestMs: number,
): number {
  const written: JsonValue | undefined = fields[name];
  if (written === undefined) return 0;
  const ms = typeof written === "string" && DURATION.test(written) ? Number.parseFloat(written) * 1000 : -1;
  if (ms < shortestMs || ms > LONGEST_MS) {
    const least = shortestMs === 0 ? "" : `, at least "${shortestMs / 1000}s"`;
    refuse(code, at(path, name), `must be a duration such as "30s"${least}, at most a day`);
  }
  return ms;
}
