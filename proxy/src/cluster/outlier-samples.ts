// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Sample } from "../stats/sample.ts";
import type { OutlierDetector } from "./outlier-detector.ts";

const EJECTIONS_HELP = "Endpoints taken out by outlier detection, by reason.";

/** The statistics of outlier detection in a cluster, by Envoy's names, and ours by reason. */
export function outlierSamples(cluster: string, detector: OutlierDetector): readonly Sample[] {
  const { ejections, overflows, ejected } = detector;
  const total = [...ejections.values()].reduce((sum, count) => sum + count, 0);
  const sample = (kind: "counter" | "gauge", name: string, help: string, value: number): Sample => ({
    ...{ kind, help, value, labels: { envoy_cluster_name: cluster } },
    name: `cluster.outlier_detection.${name}`,
    dottedName: `cluster.${cluster}.outlier_detection.${name}`,
  });
  return [
    sample("gauge", "ejections_active", "Endpoints that are out.", ejected),
    sample("counter", "ejections_enforced_total", "Endpoints taken out.", total),
    sample("counter", "ejections_overflow", "Endpoints left in since too many were out.", overflows),
    ...[...ejections].map(([reason, value]): Sample => {
      const labels = { cluster, reason };
      return { kind: "counter", name: "msm_cluster_ejections_total", help: EJECTIONS_HELP, labels, value };
    }),
  ];
}
