// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { isMessage, type JsonObject, registry, toJson, unpackAny, validate } from "@msm/xds-protos";
import { TypedExtensionConfigSchema } from "@msm/xds-protos/envoy/config/core/v3/extension_pb.js";
import { ListenerSchema } from "@msm/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { UdpProxyConfigSchema } from "@msm/xds-protos/envoy/extensions/filters/udp/udp_proxy/v3/udp_proxy_pb.js";
import { expect, test } from "vitest";
import { ResourceStore } from "../mesh/resource-store.ts";
import type { ModuleFile } from "../model/raw-resource.ts";
import { createEntry } from "../snapshot/resource-entry.ts";
import { createSnapshot, missingReferences } from "../snapshot/snapshot.ts";
import {
  backendYaml,
  classYaml,
  filterYaml,
  gatewayYaml,
  routeYaml,
  smallMesh,
  yamlFile,
} from "../testing/mesh-yaml.ts";
import { readText } from "../testing/read-text.ts";
import { abiExports } from "../testing/wasm-bytes.ts";
import type { Produced } from "./produced.ts";
import { type Profile, translateMesh } from "./translate-mesh.ts";

function produce(text: string, profile: Profile = "msm", module?: ModuleFile): readonly Produced[] {
  const { mesh, refusals } = new ResourceStore().apply(readText(text, module));
  expect(refusals).toEqual([]);
  return translateMesh(mesh, profile);
}

const asJson = ({ schema, message }: Produced): JsonObject =>
  toJson(schema, message, { registry, useProtoFieldName: true }) as JsonObject;
const namesOf = (produced: readonly Produced[], kind: string): string[] =>
  produced.filter(({ schema }) => schema.name === kind).map(({ name }) => name);
const one = (produced: readonly Produced[], kind: string): Produced =>
  produced.find(({ schema }) => schema.name === kind)!;

/** The names of the session filters of every listener, in order. */
function chains(produced: readonly Produced[]): string[][] {
  return produced.flatMap(({ message }) => {
    if (!isMessage(message, ListenerSchema)) return [];
    const { configType } = message.listenerFilters[0]!;
    const config = configType.case === "typedConfig" ? unpackAny(configType.value) : undefined;
    return isMessage(config, UdpProxyConfigSchema) ? [config.sessionFilters.map(({ name }) => name)] : [];
  });
}

const module: ModuleFile = {
  path: "/f.wasm",
  bytes: Uint8Array.of(1, 2, 3),
  sha256: "ab".repeat(32),
  exports: abiExports,
};

const serviceMesh = yamlFile(
  classYaml,
  gatewayYaml({ protocol: "UDP" }),
  routeYaml().replace(/ +- group.*$/s, "        - { name: viewer, port: 80 }\n"),
  `apiVersion: v1
kind: Service
metadata: { name: viewer }
spec: { selector: { app: viewer }, ports: [{ name: rtp, port: 80, protocol: UDP }, { name: web, port: 80 }] }
`,
  `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: viewer-1, labels: { kubernetes.io/service-name: viewer } }
addressType: IPv4
ports: [{ name: rtp, port: 5000, protocol: UDP }, { name: web, port: 8080, protocol: TCP }]
endpoints:
  - { addresses: [10.0.0.1], conditions: { ready: true } }
  - { addresses: [10.0.0.2], conditions: { ready: false } }
  - { addresses: [10.0.0.3], conditions: { ready: false, serving: true, terminating: true } }
  - { addresses: [10.0.0.4], conditions: { ready: false, serving: false, terminating: true } }
  - { addresses: [10.0.0.5] }
`,
);

test("makes a UDP listener as Envoy writes it", () => {
  expect(asJson(one(produce(smallMesh), "Listener"))).toEqual({
    name: "default/camera/video",
    stat_prefix: "default/camera/video",
    address: { socket_address: { protocol: "UDP", address: "0.0.0.0", port_value: 5004 } },
    enable_reuse_port: true,
    udp_listener_config: { downstream_socket_config: { max_rx_datagram_size: "65535", prefer_gro: true } },
    listener_filters: [
      {
        name: "envoy.filters.udp_listener.udp_proxy",
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig",
          stat_prefix: "default/camera/video",
          idle_timeout: "60s",
          matcher: {
            on_no_match: {
              action: {
                name: "route",
                typed_config: {
                  "@type": "type.googleapis.com/envoy.extensions.filters.udp.udp_proxy.v3.Route",
                  cluster: "backend/default/viewer",
                },
              },
            },
          },
          session_filters: [
            {
              name: "rtp-stats/default/camera/video",
              config_discovery: {
                config_source: { ads: {}, resource_api_version: "V3" },
                type_urls: ["type.googleapis.com/envoy.extensions.wasm.v3.PluginConfig"],
              },
            },
          ],
        },
      },
    ],
  });
});

test("makes an EDS cluster and its endpoints", () => {
  const produced = produce(smallMesh);
  expect(asJson(one(produced, "Cluster"))).toEqual({
    name: "backend/default/viewer",
    type: "EDS",
    eds_cluster_config: {
      eds_config: { ads: {}, resource_api_version: "V3" },
      service_name: "backend/default/viewer",
    },
    connect_timeout: "1s",
  });
  const address = { socket_address: { protocol: "UDP", address: "127.0.0.1", port_value: 6004 } };
  expect(asJson(one(produced, "ClusterLoadAssignment"))).toEqual({
    cluster_name: "backend/default/viewer",
    endpoints: [{ locality: {}, lb_endpoints: [{ endpoint: { address }, health_status: "HEALTHY" }] }],
  });
});

test("gives RTP listeners the statistics filter, open to failure, and UDP listeners none", () => {
  const produced = produce(smallMesh);
  expect(chains(produced)).toEqual([["rtp-stats/default/camera/video"]]);
  expect(asJson(one(produced, "TypedExtensionConfig"))).toEqual({
    name: "rtp-stats/default/camera/video",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.wasm.v3.PluginConfig",
      name: "rtp-stats/default/camera/video",
      vm_config: { runtime: "envoy.wasm.runtime.null", code: { local: { inline_string: "rtp-stats" } } },
      configuration: { "@type": "type.googleapis.com/google.protobuf.StringValue", value: "{}" },
      failure_policy: "FAIL_OPEN",
    },
  });
  expect(chains(produce(smallMesh.replace("mediastreamingmesh.io/RTP", "UDP")))).toEqual([[]]);
});

test("lets the most specific WasmFilter configure the statistics, first in the chain whatever its priority", () => {
  const text = yamlFile(
    smallMesh,
    filterYaml({ name: "whole-gateway", more: "builtin: rtp-stats" }),
    filterYaml({ name: "one-listener", more: "builtin: rtp-stats\n  priority: -5" }).replace(
      "name: camera",
      "name: camera\n      sectionName: video",
    ),
    filterYaml({ name: "zebra", more: "builtin: other\n  priority: 9" }),
    filterYaml({ name: "ant", more: "builtin: other" }),
    filterYaml({ name: "bee", more: "builtin: other" }),
  );
  expect(chains(produce(text))).toEqual([
    ["default/one-listener", "default/zebra", "default/ant", "default/bee"],
  ]);
});

test("sends a module along with its configuration as JSON text", () => {
  const text = yamlFile(
    smallMesh,
    filterYaml({ name: "guard", more: "file: f.wasm\n  config: { allow: [96] }" }),
  );
  const produced = produce(text, "msm", module).find(({ name }) => name === "default/guard")!;
  expect(asJson(produced).typed_config).toMatchObject({
    vm_config: { runtime: "envoy.wasm.runtime.v8", code: { local: { inline_bytes: "AQID" } } },
    configuration: { value: '{"allow":[96]}' },
    failure_policy: "FAIL_CLOSED",
  });
});

test("gives a proxy that is not ours the same listeners without session filters", () => {
  const produced = produce(yamlFile(smallMesh, filterYaml()), "envoy");
  expect(chains(produced)).toEqual([[]]);
  expect(namesOf(produced, "TypedExtensionConfig")).toEqual([]);
  expect(namesOf(produced, "Cluster")).toEqual(["backend/default/viewer"]);
});

test("takes the endpoints of a Service from its slices: ready ones, and draining ones that still serve", () => {
  const assignment = asJson(one(produce(serviceMesh), "ClusterLoadAssignment"));
  const [group] = assignment.endpoints as { lb_endpoints: JsonObject[] }[];
  const found = group!.lb_endpoints.map(({ endpoint, health_status }) => [
    JSON.stringify(endpoint),
    health_status,
  ]);
  expect(found.map(([, health]) => health)).toEqual(["HEALTHY", "DRAINING", "HEALTHY"]);
  expect(found.map(([text]) => /10\.0\.0\.\d/.exec(String(text))?.[0])).toEqual([
    "10.0.0.1",
    "10.0.0.3",
    "10.0.0.5",
  ]);
  expect(String(found[0]![0])).toContain('"port_value":5000');
  expect(assignment.cluster_name).toBe("service/default/viewer:80");
});

test("sends an empty assignment for a backend without endpoints, or its cluster would wait forever", () => {
  const text = smallMesh.replace(/endpoints:\n.*\n.*\n/, "endpoints: []\n");
  expect(asJson(one(produce(text), "ClusterLoadAssignment"))).toEqual({
    cluster_name: "backend/default/viewer",
  });
});

/** A route that gives backends `stable` and `canary` these weights. */
function weightedMesh(stable: number, canary: number): string {
  const more = `          weight: ${stable}
        - { group: mediastreamingmesh.io, kind: Backend, name: canary, weight: ${canary} }\n`;
  const backends = [backendYaml({ name: "stable" }), backendYaml({ name: "canary", port: 6006 })];
  return yamlFile(classYaml, gatewayYaml(), ...backends, routeYaml({ backend: "stable" }) + more);
}

test("weighs the backends of a route as localities of one cluster", () => {
  const produced = produce(weightedMesh(90, 10));
  expect(asJson(one(produced, "Cluster"))).toMatchObject({
    name: "route/default/video",
    common_lb_config: { locality_weighted_lb_config: {} },
  });
  expect(asJson(one(produced, "ClusterLoadAssignment"))).toMatchObject({
    cluster_name: "route/default/video",
    endpoints: [
      { locality: { sub_zone: "backend/default/stable" }, load_balancing_weight: 90 },
      { locality: { sub_zone: "backend/default/canary" }, load_balancing_weight: 10 },
    ],
  });
  expect(JSON.stringify(asJson(one(produced, "Listener")))).toContain('"cluster":"route/default/video"');
  expect(one(produced, "Cluster").origins).toEqual([
    "UDPRoute/default/video",
    "Backend/default/stable",
    "Backend/default/canary",
  ]);
});

test("makes a cluster of a backend with a name one that proxies look up, with its endpoints inside", () => {
  const produced = produce(smallMesh.replace("address: 127.0.0.1", "hostname: cams.example.com"));
  const address = { socket_address: { protocol: "UDP", address: "cams.example.com", port_value: 6004 } };
  expect(asJson(one(produced, "Cluster"))).toEqual({
    name: "backend/default/viewer",
    type: "STRICT_DNS",
    load_assignment: {
      cluster_name: "backend/default/viewer",
      endpoints: [{ locality: {}, lb_endpoints: [{ endpoint: { address }, health_status: "HEALTHY" }] }],
    },
    connect_timeout: "1s",
    respect_dns_ttl: true,
    dns_lookup_family: "V4_PREFERRED",
    dns_failure_refresh_rate: { base_interval: "1s", max_interval: "30s" },
  });
  expect(namesOf(produced, "ClusterLoadAssignment")).toEqual([]);
});

test("takes the policy of a Backend into its cluster, and what Envoy has no field for into metadata", () => {
  const policy = `  policy:
    balancing: LeastRequest
    drainLinger: 30s
    healthCheck: { port: 8080 }
    outlierDetection: { errors: 3, maxEjectionPercent: 50, responseSilence: 500ms }
`;
  const mesh = yamlFile(classYaml, gatewayYaml(), backendYaml() + policy, routeYaml());
  expect(asJson(one(produce(mesh), "Cluster"))).toMatchObject({
    lb_policy: "LEAST_REQUEST",
    health_checks: [
      {
        ...{ timeout: "1s", interval: "2s", unhealthy_threshold: 3, healthy_threshold: 1, alt_port: 8080 },
        tcp_health_check: {},
      },
    ],
    outlier_detection: {
      ...{ split_external_local_origin_errors: true, consecutive_local_origin_failure: 3 },
      ...{ base_ejection_time: "30s", max_ejection_percent: 50 },
    },
    metadata: {
      filter_metadata: {
        "io.mediastreamingmesh.cluster": { drain_linger: "30s", response_silence: "0.5s" },
      },
    },
  });
});

test("keeps a backend of weight 0 for the sessions that it has, in the same cluster", () => {
  const produced = produce(weightedMesh(100, 0));
  const { endpoints } = asJson(one(produced, "ClusterLoadAssignment")) as { endpoints: JsonObject[] };
  expect(endpoints.map(({ load_balancing_weight }) => load_balancing_weight)).toEqual([100, undefined]);
  expect(namesOf(produced, "Cluster")).toEqual(["route/default/video"]);
});

test("makes one listener per address, the first under the plain name", () => {
  const gateway = `${gatewayYaml()}  addresses: [{ value: 127.0.0.1 }, { value: "::1" }]\n`;
  const produced = produce(yamlFile(classYaml, gateway, backendYaml(), routeYaml()));
  expect(namesOf(produced, "Listener")).toEqual(["default/camera/video", "default/camera/video@::1"]);
  expect(namesOf(produced, "Cluster")).toHaveLength(1);
});

test("takes the idle time-out of the route before that of the Gateway", () => {
  const annotate = (text: string, value: string): string =>
    text.replace(
      "metadata:\n",
      `metadata:\n  annotations: { mediastreamingmesh.io/idle-timeout: ${value} }\n`,
    );
  const timeout = (gateway: string, route: string): string =>
    JSON.stringify(asJson(one(produce(yamlFile(classYaml, gateway, backendYaml(), route)), "Listener")));
  expect(timeout(annotate(gatewayYaml(), "5s"), routeYaml())).toContain('"idle_timeout":"5s"');
  expect(timeout(annotate(gatewayYaml(), "5s"), annotate(routeYaml(), "250ms"))).toContain(
    '"idle_timeout":"0.250s"',
  );
});

test("makes nothing of listeners without a route and of Gateways of another controller", () => {
  expect(produce(yamlFile(classYaml, gatewayYaml()))).toEqual([]);
  expect(produce(smallMesh.replace("mediastreamingmesh.io/gateway-controller", "example.com/other"))).toEqual(
    [],
  );
});

test("makes only resources that Envoy's own rules accept and that refer to nothing missing", () => {
  const sample = readFileSync(new URL("../../../deploy/local/mesh.yaml", import.meta.url), "utf8");
  for (const text of [
    sample,
    serviceMesh,
    weightedMesh(1, 0),
    yamlFile(smallMesh, filterYaml({ more: "file: f.wasm" })),
  ]) {
    for (const profile of ["msm", "envoy"] as const) {
      const produced = produce(text, profile, module);
      const violations = produced.flatMap(({ schema, message }) => validate(schema, message));
      expect(violations).toEqual([]);
      const entries = produced.map((item) => createEntry(item.schema, item.name, item.message));
      expect(missingReferences(createSnapshot(entries, true))).toEqual([]);
    }
  }
});

test("says from which resources each was made", () => {
  const produced = produce(yamlFile(smallMesh, filterYaml()));
  expect(one(produced, "Listener").origins).toEqual(["Gateway/default/camera", "UDPRoute/default/video"]);
  expect(one(produced, "Cluster").origins).toEqual(["UDPRoute/default/video", "Backend/default/viewer"]);
  const filter = produced.find(({ schema }) => schema === TypedExtensionConfigSchema);
  expect(filter?.origins).toEqual(["WasmFilter/default/stats"]);
});
