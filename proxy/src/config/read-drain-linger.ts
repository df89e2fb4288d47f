// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Metadata } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import { at, refuse } from "./refuse.ts";

/** The metadata by which a cluster says what Envoy has no field for. */
const NAMESPACE = "io.mediastreamingmesh.cluster";
const DURATION = /^(\d{1,5})(\.\d{1,9})?s$/;
const LONGEST_MS = 86_400_000;

/**
 * For how long endpoints that are taken out of a cluster keep their sessions, in milliseconds: 0, not at all, unless
 * `metadata.filter_metadata["io.mediastreamingmesh.cluster"].drain_linger` says otherwise. Metadata do no harm to Envoy.
 */
export function readDrainLinger(metadata: Metadata | undefined, metadataPath: string): number {
  const ours = metadata?.filterMetadata[NAMESPACE];
  if (ours === undefined) return 0;
  const path = at(metadataPath, `filter_metadata["${NAMESPACE}"]`);
  const { drain_linger: written, ...others } = ours;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    refuse("MSM_CLUSTER_DRAIN_LINGER", at(path, unknown), "is not known; drain_linger is");
  }
  const lingerMs =
    typeof written === "string" && DURATION.test(written) ? Number.parseFloat(written) * 1000 : -1;
  if (lingerMs < 0 || lingerMs > LONGEST_MS) {
    refuse(
      "MSM_CLUSTER_DRAIN_LINGER",
      at(path, "drain_linger"),
      'must be a duration such as "30s", at most a day',
    );
  }
  return lingerMs;
}
