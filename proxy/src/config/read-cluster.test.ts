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
    ["DNS", { type: "STRICT_DNS" }, "MSM_CLUSTER_DISCOVERY type"],
    ["another policy", { lb_policy: "MAGLEV" }, "MSM_CLUSTER_LB_POLICY lb_policy"],
    [
      "health checks",
      {
        health_checks: [
          {
            timeout: "1s",
            interval: "1s",
            unhealthy_threshold: 1,
            healthy_threshold: 1,
            tcp_health_check: {},
          },
        ],
      },
      "MSM_CONFIG_UNSUPPORTED_FIELD health_checks",
    ],
    ["circuit breakers", { circuit_breakers: {} }, "MSM_CONFIG_UNSUPPORTED_FIELD circuit_breakers"],
    ["outlier detection", { outlier_detection: {} }, "MSM_CONFIG_UNSUPPORTED_FIELD outlier_detection"],
    [
      "a panic threshold",
      { common_lb_config: { healthy_panic_threshold: { value: 50 } } },
      "MSM_CONFIG_UNSUPPORTED_VALUE common_lb_config.healthy_panic_threshold",
    ],
    ["no source", { eds_cluster_config: {} }, "MSM_CONFIG_SOURCE eds_cluster_config.eds_config"],
  ])("with %s is refused", async (_, changes, expected) => {
    expect(await refusal("cluster", "a", edsClusterJson("a", changes))).toBe(expected);
  });

  test("of type STATIC has its endpoints inline and nowhere else", async () => {
    expect((await read("cluster", "a", staticClusterJson("a", 6004))).endpoints).toMatchObject({
      kind: "static",
      assignment: { available: [{ address: "127.0.0.1", port: 6004 }] },
    });
    const both = staticClusterJson("a", 6004, { eds_cluster_config: { eds_config: ADS } });
    expect(await refusal("cluster", "a", both)).toBe("MSM_CONFIG_UNSUPPORTED_FIELD eds_cluster_config");
  });
});

describe("endpoints", () => {
  test.each([
    ["UNKNOWN", 1],
    ["HEALTHY", 1],
    ["DEGRADED", 1],
    ["UNHEALTHY", 0],
    ["DRAINING", 0],
    ["TIMEOUT", 0],
  ])("that EDS calls %s take new sessions: %i", async (health_status, count) => {
    const read1 = await read("clusterLoadAssignment", "a", assignmentJson("a", [1], { health_status }));
    expect(read1.available).toHaveLength(count);
    expect(read1.endpoints).toHaveLength(1);
  });

  test("that are there twice count once", async () => {
    expect((await read("clusterLoadAssignment", "a", assignmentJson("a", [1, 1, 2]))).available).toHaveLength(
      2,
    );
  });

  test.each<[string, JsonObject, string]>([
    [
      "different weights",
      {
        endpoints: [
          {
            lb_endpoints: [
              { endpoint: { address: udpAddress(1) }, load_balancing_weight: 2 },
              { endpoint: { address: udpAddress(2) } },
            ],
          },
        ],
      },
      "MSM_CLUSTER_WEIGHTS endpoints",
    ],
    ["priorities", { endpoints: [{ priority: 1 }] }, "MSM_CONFIG_UNSUPPORTED_VALUE endpoints[0].priority"],
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
  ])("with %s are refused", async (_, changes, expected) => {
    expect(await refusal("clusterLoadAssignment", "a", { ...assignmentJson("a", []), ...changes })).toBe(
      expected,
    );
  });
});
