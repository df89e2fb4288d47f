// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { EndpointPlan } from "../plan.ts";
import { gaugeSample } from "./registry.ts";
import type { Sample } from "./sample.ts";

/** How many endpoints of a cluster are in each state. */
type Counts = Readonly<
  Record<NonNullable<EndpointPlan["health"]> | NonNullable<EndpointPlan["failed"]>, number>
>;

const counted = new WeakMap<readonly EndpointPlan[], Counts>();

/** Gauges of the endpoints of a cluster as the datapath has them. A list is counted once. */
export function membershipSamples(name: string, endpoints: readonly EndpointPlan[]): readonly Sample[] {
  const counts = counted.get(endpoints) ?? count(endpoints);
  counted.set(endpoints, counts);
  const labels = { envoy_cluster_name: name };
  const gauge = (stat: string, help: string, value: number) =>
    gaugeSample({ name: `cluster.${stat}`, dottedName: `cluster.${name}.${stat}`, help, labels }, value);
  const byHealth = (health: string, value: number) =>
    gaugeSample(
      { name: "msm_cluster_endpoints", help: "Endpoints by health", labels: { cluster: name, health } },
      value,
    );
  const byReason = (reason: string, value: number) =>
    gaugeSample(
      {
        ...{ name: "msm_cluster_endpoints_failed", help: "Endpoints out by reason" },
        labels: { cluster: name, reason },
      },
      value,
    );
  return [
    gauge("membership_total", "Endpoints", endpoints.length - counts.LEFT),
    gauge("membership_healthy", "Endpoints that are healthy", counts.HEALTHY),
    gauge("membership_degraded", "Endpoints that EDS calls degraded", counts.DEGRADED),
    byHealth("unhealthy", counts.UNHEALTHY),
    byHealth("draining", counts.DRAINING),
    byHealth("left", counts.LEFT),
    byReason("active_check", counts.ACTIVE_CHECK),
    byReason("outlier", counts.OUTLIER),
  ];
}

function count(endpoints: readonly EndpointPlan[]): Counts {
  const counts = { HEALTHY: 0, DEGRADED: 0, UNHEALTHY: 0, DRAINING: 0, LEFT: 0, ACTIVE_CHECK: 0, OUTLIER: 0 };
  for (const { health = "HEALTHY", failed } of endpoints) {
    counts[health]++;
    if (failed !== undefined) counts[failed]++;
  }
  return counts;
}
