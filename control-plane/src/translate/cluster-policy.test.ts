// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { type JsonObject, registry, toJson, validate } from "@msm/xds-protos";
import { expect, test } from "vitest";
import { ResourceStore } from "../mesh/resource-store.ts";
import {
  backendYaml,
  classYaml,
  gatewayYaml,
  routeYaml,
  rtspGatewayYaml,
  rtspRouteYaml,
  yamlFile,
} from "../testing/mesh-yaml.ts";
import { readText } from "../testing/read-text.ts";
import { translateMesh } from "./translate-mesh.ts";

/** The one resource of a kind that a mesh makes, as Envoy's JSON. */
function produced(text: string, kind: string): JsonObject {
  const { mesh, refusals } = new ResourceStore().apply(readText(text));
  expect(refusals).toEqual([]);
  const { schema, message } = translateMesh(mesh, "msm").find(({ schema }) => schema.name === kind)!;
  expect(validate(schema, message)).toEqual([]);
  return toJson(schema, message, { registry, useProtoFieldName: true }) as JsonObject;
}

const backend = (policy: string) => `${backendYaml()}  policy: ${policy}\n`;
const udpMesh = (policy: string) => yamlFile(classYaml, gatewayYaml(), backend(policy), routeYaml());
const rtspMesh = (policy: string) => yamlFile(classYaml, rtspGatewayYaml(), backend(policy), rtspRouteYaml());
const cluster = (policy: string) => produced(udpMesh(policy), "Cluster");

test.each<[string, JsonObject]>([
  ["{ balancing: Maglev }", { lb_policy: "MAGLEV" }],
  ["{ balancing: RingHash }", { lb_policy: "RING_HASH" }],
  [
    "{ balancing: LeastRequest, slowStart: 30s }",
    {
      lb_policy: "LEAST_REQUEST",
      least_request_lb_config: { slow_start_config: { slow_start_window: "30s" } },
    },
  ],
  ["{ slowStart: 5s }", { round_robin_lb_config: { slow_start_config: { slow_start_window: "5s" } } }],
  [
    "{ balancing: LeastBits }",
    {
      lb_policy: "LEAST_REQUEST",
      metadata: {
        filter_metadata: { "io.mediastreamingmesh.cluster": { least_request_by: "bits_per_second" } },
      },
    },
  ],
  [
    "{ limits: { sessions: 100, sessionsPerEndpoint: 7 } }",
    {
      circuit_breakers: {
        thresholds: [{ max_connections: 100 }],
        per_host_thresholds: [{ max_connections: 7 }],
      },
    },
  ],
  [
    "{ outlierDetection: { successRate: { deviations: 1.5 }, failurePercentage: { threshold: 50 }, maxLoss: 2.5, maxJitter: 30ms } }",
    {
      outlier_detection: {
        ...{ enforcing_success_rate: 100, success_rate_stdev_factor: 1500, success_rate_minimum_hosts: 5 },
        ...{ enforcing_failure_percentage: 100, failure_percentage_threshold: 50 },
      },
      metadata: {
        filter_metadata: {
          "io.mediastreamingmesh.cluster": { loss_threshold: 2.5, jitter_threshold: "0.03s" },
        },
      },
    },
  ],
  ["{ outlierDetection: {} }", { outlier_detection: { enforcing_success_rate: 0, consecutive_5xx: 5 } }],
  [
    "{ drainLinger: 0s }",
    { metadata: { filter_metadata: { "io.mediastreamingmesh.cluster": { drain_linger: "0s" } } } },
  ],
])("the policy %s is in the cluster", (policy, expected) => {
  expect(cluster(policy)).toMatchObject(expected);
});

const custom = (name: string, options: JsonObject = {}): JsonObject => ({
  custom_health_check: {
    name: `msm.health_checkers.${name}`,
    typed_config: { "@type": "type.googleapis.com/google.protobuf.Struct", value: options },
  },
});

test.each<[string, JsonObject]>([
  ["{}", { tcp_health_check: {} }],
  [
    "{ type: TCP, port: 8080, send: '00ff', receive: ['01'] }",
    { alt_port: 8080, tcp_health_check: { send: { text: "00ff" }, receive: [{ text: "01" }] } },
  ],
  ["{ type: HTTP, path: /well, host: cam }", { http_health_check: { path: "/well", host: "cam" } }],
  [
    "{ type: UDP, send: '70', receive: ['6f'] }",
    custom("udp", { send: { text: "70" }, receive: [{ text: "6f" }] }),
  ],
  ["{ type: STUN, interval: 5s }", { interval: "5s", ...custom("stun") }],
  ["{ type: RTCP }", custom("rtcp")],
  ["{ type: RTSP }", custom("rtsp-options")],
  ["{ type: SIP }", custom("sip-options")],
])("the health check %s is in the cluster", (check, expected) => {
  expect(cluster(`{ healthCheck: ${check} }`)).toMatchObject({ health_checks: [expected] });
});

test.each<[string, JsonObject]>([
  ["{ balancing: Maglev }", { hash_policies: [{ source_ip: true }] }],
  ["{ balancing: Maglev, hashOn: { type: SourceAddress } }", { hash_policies: [{ source_ip: true }] }],
])("by the policy %s a UDP listener hashes", (policy, expected) => {
  const listener = produced(udpMesh(policy), "Listener");
  expect(listener).toMatchObject({ listener_filters: [{ typed_config: expected }] });
  expect(listener.metadata).toBeUndefined();
});

test("bytes of the first datagram are hashed by what our proxies find in the listener's metadata", () => {
  const policy = "{ balancing: RingHash, hashOn: { type: FirstDatagram, offset: 8, length: 4 } }";
  const listener = produced(udpMesh(policy), "Listener");
  expect(listener).toMatchObject({
    metadata: {
      filter_metadata: { "io.mediastreamingmesh.hash": { first_datagram: { offset: 8, length: 4 } } },
    },
  });
  expect(JSON.stringify(listener)).not.toContain("hash_policies");
});

test.each<[string, JsonObject]>([
  ["SourceAddress", { connection_properties: { source_ip: true } }],
  ["URL", { header: { header_name: ":path" } }],
  ["Header, name: call-id", { header: { header_name: "call-id" } }],
  ["FilterState, name: room", { filter_state: { key: "room" } }],
])("by the hash on %s an RTSP route hashes", (hashOn, expected) => {
  const made = produced(rtspMesh(`{ balancing: Maglev, hashOn: { type: ${hashOn} } }`), "RouteConfiguration");
  expect(made).toMatchObject({ virtual_hosts: [{ routes: [{ route: { hash_policy: [expected] } }] }] });
});

test("a Service has the policy of the ServicePolicy that targets it", () => {
  const service = `apiVersion: v1
kind: Service
metadata: { name: game }
spec: { ports: [{ port: 5004, protocol: UDP }] }
`;
  const policy = `apiVersion: mediastreamingmesh.io/v1alpha1
kind: ServicePolicy
metadata: { name: game }
spec: { targetRefs: [{ name: game }], policy: { balancing: Random } }
`;
  const route = routeYaml().replace(/- group[\s\S]*$/, "- { kind: Service, name: game, port: 5004 }\n");
  const mesh = (...more: readonly string[]) => yamlFile(classYaml, gatewayYaml(), service, route, ...more);
  expect(produced(mesh(), "Cluster")).not.toHaveProperty("lb_policy");
  expect(produced(mesh(policy), "Cluster")).toMatchObject({ lb_policy: "RANDOM" });
});

test("a policy that changes is in the next translation, without anything else being written", () => {
  const store = new ResourceStore();
  const clusterOf = (policy: string) => {
    const { mesh } = store.apply(readText(udpMesh(policy)));
    const found = translateMesh(mesh, "msm").find(({ schema }) => schema.name === "Cluster")!;
    return toJson(found.schema, found.message, { registry, useProtoFieldName: true });
  };
  expect(clusterOf("{ balancing: Random }")).toMatchObject({ lb_policy: "RANDOM" });
  expect(clusterOf("{ balancing: Maglev }")).toMatchObject({ lb_policy: "MAGLEV" });
});
