// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from "@msm/xds-protos";
import { describe, expect, test } from "vitest";
import { read, refusal } from "./testdata/read.ts";
import { assignmentJson, edsClusterJson, udpAddress } from "./testdata/resources.ts";

const times = { timeout: "1s", interval: "2s", unhealthy_threshold: 3, healthy_threshold: 1 };
const clusterWith = (check: JsonObject) => edsClusterJson("a", { health_checks: [{ ...times, ...check }] });
const checkOf = async (check: JsonObject) => (await read("cluster", "a", clusterWith(check))).healthChecks[0];
const struct = (value: JsonObject) => ({ "@type": "type.googleapis.com/google.protobuf.Struct", value });

describe("a health check", () => {
  test("has Envoy's times and thresholds, and the interval where no other is said", async () => {
    expect(await checkOf({ tcp_health_check: {} })).toMatchObject({
      ...{ checker: "tcp", timeoutMs: 1000, intervalMs: 2000, unhealthyThreshold: 3, healthyThreshold: 1 },
      ...{
        unhealthyIntervalMs: 2000,
        unhealthyEdgeIntervalMs: 2000,
        healthyEdgeIntervalMs: 2000,
        altPort: 0,
      },
    });
    const timed = {
      ...{ initial_jitter: "0.1s", interval_jitter: "0.2s", interval_jitter_percent: 5, alt_port: 99 },
      ...{ unhealthy_interval: "5s", healthy_edge_interval: "0.3s" },
    };
    expect(await checkOf({ tcp_health_check: {}, ...timed })).toMatchObject({
      ...{ initialJitterMs: 100, intervalJitterMs: 200, intervalJitterPercent: 5, altPort: 99 },
      ...{ unhealthyIntervalMs: 5000, unhealthyEdgeIntervalMs: 5000, healthyEdgeIntervalMs: 300 },
    });
  });

  test.each<[JsonObject, object]>([
    [
      { tcp_health_check: { send: { text: "0aFF" }, receive: [{ binary: "AQI=" }] } },
      { checker: "tcp", options: { send: Uint8Array.of(10, 255), receive: [Uint8Array.of(1, 2)] } },
    ],
    [
      { http_health_check: { path: "/ready", expected_statuses: [{ start: 200, end: 300 }] } },
      { checker: "http", options: { host: "", path: "/ready", statuses: [[200, 300]] } },
    ],
    [{ custom_health_check: { name: "msm.health_checkers.stun" } }, { checker: "stun" }],
    [
      {
        custom_health_check: {
          name: "msm.health_checkers.udp",
          typed_config: struct({ send: { text: "00" } }),
        },
      },
      { checker: "udp", options: { send: Uint8Array.of(0), receive: [] } },
    ],
    [
      {
        custom_health_check: {
          name: "msm.health_checkers.udp",
          typed_config: {
            "@type": "type.googleapis.com/xds.type.v3.TypedStruct",
            value: { receive: [{ text: "00" }] },
          },
        },
      },
      { checker: "udp", options: { receive: [Uint8Array.of(0)] } },
    ],
  ])("is read: %j", async (check, expected) => {
    expect(await checkOf(check)).toMatchObject(expected);
  });

  test.each<[string, JsonObject, string]>([
    ["gRPC", { grpc_health_check: {} }, "MSM_CONFIG_UNSUPPORTED_FIELD health_checks[0].grpc_health_check"],
    [
      "an unknown checker",
      { custom_health_check: { name: "envoy.health_checkers.redis" } },
      "MSM_CLUSTER_HEALTH_CHECK health_checks[0].custom_health_check.name",
    ],
    [
      "an unknown option",
      { custom_health_check: { name: "msm.health_checkers.stun", typed_config: struct({ a: 1 }) } },
      "MSM_CLUSTER_HEALTH_CHECK health_checks[0].custom_health_check.typed_config",
    ],
    [
      "a payload that is not hexadecimal",
      { tcp_health_check: { send: { text: "ping" } } },
      "MSM_CONFIG_INVALID health_checks[0].tcp_health_check.send.text",
    ],
    [
      "an interval for times without traffic",
      { tcp_health_check: {}, no_traffic_interval: "1s" },
      "MSM_CONFIG_UNSUPPORTED_FIELD health_checks[0].no_traffic_interval",
    ],
    [
      "connections that are used again",
      { tcp_health_check: {}, reuse_connection: true },
      "MSM_CONFIG_UNSUPPORTED_VALUE health_checks[0].reuse_connection",
    ],
  ])("by %s is refused", async (_, check, expected) => {
    expect(await refusal("cluster", "a", clusterWith(check))).toBe(expected);
  });
});

test("an endpoint says where and as whom it is checked", async () => {
  const check = async (endpoint: JsonObject) => {
    const lb_endpoints = [{ endpoint: { address: udpAddress(5), ...endpoint } }];
    const json = { ...assignmentJson("a", []), endpoints: [{ lb_endpoints }] };
    return (await read("clusterLoadAssignment", "a", json)).planned[0]!.check;
  };
  const own = { address: "127.0.0.1", port: 5, hostname: "", isDisabled: false };
  expect(await check({})).toBeUndefined();
  expect(await check({ hostname: "h" })).toEqual({ ...own, hostname: "h" });
  expect(await check({ health_check_config: { port_value: 8080 } })).toEqual({ ...own, port: 8080 });
  const elsewhere = { address: udpAddress(7, "10.0.0.9"), hostname: "x", disable_active_health_check: true };
  expect(await check({ health_check_config: elsewhere })).toEqual({
    ...{ address: "10.0.0.9", port: 7, hostname: "x", isDisabled: true },
  });
});
