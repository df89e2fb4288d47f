// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import type { EndpointPlan } from "../plan.ts";
import { membershipSamples } from "./membership.ts";

const endpoint = (port: number, state: Partial<EndpointPlan> = {}): EndpointPlan => ({
  ...{ address: "10.0.0.1", port },
  ...state,
});

function valuesOf(endpoints: readonly EndpointPlan[]): object {
  const named = membershipSamples("cams", endpoints).map(({ name, labels, value }) => {
    const { health, reason } = labels;
    return [[name, health ?? reason].filter(Boolean).join(" "), value] as const;
  });
  return Object.fromEntries(named);
}

test("endpoints are counted by health and by why they are out; those that left are no members", () => {
  const endpoints = [
    endpoint(1),
    endpoint(2, { health: "HEALTHY" }),
    endpoint(3, { health: "DEGRADED" }),
    endpoint(4, { health: "UNHEALTHY", failed: "OUTLIER" }),
    endpoint(5, { health: "UNHEALTHY", failed: "ACTIVE_CHECK" }),
    endpoint(6, { health: "UNHEALTHY" }),
    endpoint(7, { health: "DRAINING" }),
    endpoint(8, { health: "LEFT" }),
  ];
  expect(valuesOf(endpoints)).toEqual({
    "cluster.membership_total": 7,
    "cluster.membership_healthy": 2,
    "cluster.membership_degraded": 1,
    "msm_cluster_endpoints unhealthy": 3,
    "msm_cluster_endpoints draining": 1,
    "msm_cluster_endpoints left": 1,
    "msm_cluster_endpoints_failed active_check": 1,
    "msm_cluster_endpoints_failed outlier": 1,
  });
});
