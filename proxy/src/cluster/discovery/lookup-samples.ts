// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Sample } from "../../stats/sample.ts";
import type { LookupCounts } from "./name-watch.ts";

const HELP: Readonly<Record<keyof LookupCounts, string>> = {
  attempt: "Lookups of names of a cluster.",
  success: "Lookups that were answered.",
  empty: "Lookups that were answered without an address.",
  failure: "Lookups that nobody answered; what was known stays.",
};

/** The lookups of a cluster as statistics: Envoy's `cluster.<name>.update_*`. */
export function lookupSamples(cluster: string, counts: readonly LookupCounts[]): readonly Sample[] {
  return (Object.keys(HELP) as (keyof LookupCounts)[]).map((key) => ({
    kind: "counter",
    name: `cluster.update_${key}`,
    dottedName: `cluster.${cluster}.update_${key}`,
    help: HELP[key],
    labels: { envoy_cluster_name: cluster },
    value: counts.reduce((sum, count) => sum + count[key], 0),
  }));
}
