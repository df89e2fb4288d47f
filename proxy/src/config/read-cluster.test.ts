// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from "@msm/xds-protos";
import { describe, expect, test } from "vitest";
import { read, refusal } from "./testdata/read.ts";
import { ADS, assignmentJson, edsClusterJson, staticClusterJson, udpAddress } from "./testdata/resources.ts";

describe("a cluster", () => {
  test("names its endpoints' resource by service_name, or by its own name", async () => {
    const named = edsClusterJson("a", { eds_cluster_config: { eds_config: ADS, service_name: "s" } });
    expect((await read("cluster", "a", named)).endpoints).toEqual({ kind: "eds", serviceName: "s" });
    expect((await read("cluster", "a", edsClusterJson("a"))).endpoints).toEqual({
      kind: "eds",
      serviceName: "a",
    });
  });

  test.each<[string, JsonObject, string]>([
    ["endpoints of connections' own", { type: "ORIGINAL_DST" }, "MSM_CLUSTER_DISCOVERY type"],
    [
      "circuit breakers of another priority",
      { circuit_breakers: { thresholds: [{ priority: "HIGH" }] } },
      "MSM_CONFIG_UNSUPPORTED_VALUE circuit_breakers.thresholds[0].priority",
    ],
    [
      "other limits of each endpoint than its sessions",
      { circuit_breakers: { per_host_thresholds: [{ max_requests: 1 }] } },
      "MSM_CONFIG_UNSUPPORTED_FIELD circuit_breakers.per_host_thresholds[0].max_requests",
    ],
    ["no source", { eds_cluster_config: {} }, "MSM_CONFIG_SOURCE eds_cluster_config.eds_config"],
  ])("with %s is refused", async (_, changes, expected) => {
    expect(await refusal("cluster", "a", edsClusterJson("a", changes))).toBe(expected);
  });

  test("limits its sessions, and those of each endpoint", async () => {
    const circuit_breakers = {
      thresholds: [{ max_connections: 5, max_pending_requests: 3 }],
      per_host_thresholds: [{ max_connections: 2 }],
    };
    const { balancing } = await read("cluster", "a", edsClusterJson("a", { circuit_breakers }));
    expect(balancing).toMatchObject({ maxSessions: 5, maxSessionsPerEndpoint: 2, maxPending: 3 });
  });

  test("of type STATIC has its endpoints inline and nowhere else", async () => {
    expect((await read("cluster", "a", staticClusterJson("a", 6004))).endpoints).toMatchObject({
      kind: "static",
      assignment: { planned: [{ address: "127.0.0.1", port: 6004, health: "HEALTHY" }] },
    });
    const both = staticClusterJson("a", 6004, { eds_cluster_config: { eds_config: ADS } });
    expect(await refusal("cluster", "a", both)).toBe("MSM_CONFIG_UNSUPPORTED_FIELD eds_cluster_config");
  });
});

describe("endpoints", () => {
  test.each([
    ["UNKNOWN", "HEALTHY"],
    ["HEALTHY", "HEALTHY"],
    ["DEGRADED", "DEGRADED"],
    ["UNHEALTHY", "UNHEALTHY"],
    ["DRAINING", "DRAINING"],
    ["TIMEOUT", "UNHEALTHY"],
  ])("that EDS calls %s are %s to the datapath", async (health_status, health) => {
    const { planned } = await read("clusterLoadAssignment", "a", assignmentJson("a", [1], { health_status }));
    expect(planned).toMatchObject([{ port: 1, health, weight: 1, priority: 0 }]);
  });

  test("that are there twice count once", async () => {
    expect((await read("clusterLoadAssignment", "a", assignmentJson("a", [1, 1, 2]))).planned).toHaveLength(
      2,
    );
  });

  test("have their weight, and the priority and weight of their locality", async () => {
    const group = (port: number, changes: JsonObject) => ({
      lb_endpoints: [{ endpoint: { address: udpAddress(port) }, load_balancing_weight: port }],
      ...changes,
    });
    const json = assignmentJson("a", []);
    const endpoints = [group(2, { load_balancing_weight: 90 }), group(3, { priority: 1 })];
    const policy = { overprovisioning_factor: 200 };
    expect(await read("clusterLoadAssignment", "a", { ...json, endpoints, policy })).toMatchObject({
      overprovisioningFactor: 200,
      planned: [
        { port: 2, weight: 2, priority: 0, locality: 0, localityWeight: 90 },
        { port: 3, weight: 3, priority: 1, locality: 1, localityWeight: 0 },
      ],
    });
  });

  test.each<[string, JsonObject, string]>([
    [
      "port 0",
      { endpoints: [{ lb_endpoints: [{ endpoint: { address: udpAddress(0) } }] }] },
      "MSM_CONFIG_ADDRESS endpoints[0].lb_endpoints[0].endpoint.address.socket_address.port_value",
    ],
    [
      "a drop policy",
      { policy: { drop_overloads: [{ category: "x" }] } },
      "MSM_CONFIG_UNSUPPORTED_FIELD policy.drop_overloads",
    ],
    [
      "health of priorities by weight",
      { policy: { weighted_priority_health: true } },
      "MSM_CONFIG_UNSUPPORTED_VALUE policy.weighted_priority_health",
    ],
  ])("with %s are refused", async (_, changes, expected) => {
    expect(await refusal("clusterLoadAssignment", "a", { ...assignmentJson("a", []), ...changes })).toBe(
      expected,
    );
  });
});
