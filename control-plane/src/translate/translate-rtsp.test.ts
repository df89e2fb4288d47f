// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { type JsonObject, registry, toJson, validate } from "@msm/xds-protos";
import { expect, test } from "vitest";
import { ResourceStore } from "../mesh/resource-store.ts";
import { createEntry } from "../snapshot/resource-entry.ts";
import { createSnapshot, missingReferences, unusedResources } from "../snapshot/snapshot.ts";
import {
  backendYaml,
  classYaml,
  filterYaml,
  rtspGatewayYaml,
  rtspMesh,
  rtspRouteYaml,
  smallMesh,
  yamlFile,
} from "../testing/mesh-yaml.ts";
import { readText } from "../testing/read-text.ts";
import { authoritiesYaml, clientTls, secretYaml, tlsGatewayYaml, tlsMesh } from "../testing/tls-mesh.ts";
import type { Produced } from "./produced.ts";
import { type Profile, translateMesh } from "./translate-mesh.ts";

function produce(text: string, profile: Profile = "msm"): readonly Produced[] {
  const { mesh, refusals } = new ResourceStore().apply(readText(text));
  expect(refusals).toEqual([]);
  return translateMesh(mesh, profile);
}

const asJson = ({ schema, message }: Produced): JsonObject =>
  toJson(schema, message, { registry, useProtoFieldName: true }) as JsonObject;

function one(produced: readonly Produced[], kind: string): JsonObject {
  return asJson(produced.find(({ schema }) => schema.name === kind)!);
}

interface ShownRoute {
  readonly match: Readonly<Record<string, unknown>>;
  readonly route: Readonly<Record<string, unknown>>;
}

/** The routes of each virtual host of an RTSP mesh with these RTSPRoutes. */
function hostsOf(...routes: readonly string[]): Record<string, readonly ShownRoute[]> {
  const backends = [backendYaml(), backendYaml({ name: "canary" })];
  const made = one(
    produce(yamlFile(classYaml, rtspGatewayYaml(), ...backends, ...routes)),
    "RouteConfiguration",
  );
  const hosts = made.virtual_hosts as unknown as { domains: string[]; routes: ShownRoute[] }[];
  return Object.fromEntries(hosts.map(({ domains, routes: found }) => [domains.join(), found]));
}

test("makes a TCP listener with a SignallingProxy, the RTSP filter and statistics for its media", () => {
  expect(one(produce(rtspMesh), "Listener")).toEqual({
    name: "default/rtsp/rtsp",
    stat_prefix: "default/rtsp/rtsp",
    address: { socket_address: { address: "0.0.0.0", port_value: 8554 } },
    filter_chains: [
      {
        filters: [
          {
            name: "msm.signalling_proxy",
            typed_config: {
              "@type": "type.googleapis.com/msm.network.v1.SignallingProxy",
              stat_prefix: "default/rtsp/rtsp",
              rds: {
                config_source: { ads: {}, resource_api_version: "V3" },
                route_config_name: "default/rtsp/rtsp",
              },
              filter: expect.objectContaining({
                name: "rtsp/default/rtsp/rtsp",
                vm_config: {
                  runtime: "envoy.wasm.runtime.null",
                  code: { local: { inline_string: "rtsp" } },
                },
              }),
              media: { chain: [expect.objectContaining({ name: "rtp-stats/default/rtsp/rtsp" })] },
            },
          },
        ],
      },
    ],
  });
});

test("tells the proxy what the Gateway's annotations and WasmFilters say of media", () => {
  const prefix = "mediastreamingmesh.io";
  const annotations = [
    "advertised-address: 192.0.2.7",
    "upstream-transport: Interleaved",
    "upstream-linger: 2s",
    "idle-timeout: 30s",
  ];
  const gateway = rtspGatewayYaml({
    annotations: `{ ${annotations.map((line) => `${prefix}/${line}`).join(", ")} }`,
  });
  const filters = ["builtin: rtsp\n  config: { a: 1 }", "builtin: firewall"].map((more, index) =>
    filterYaml({ name: `f${index}`, more }).replace("name: camera", "name: rtsp"),
  );
  const text = yamlFile(classYaml, gateway, backendYaml(), rtspRouteYaml(), ...filters);
  const shown = JSON.stringify(one(produce(text), "Listener"));
  const found = JSON.parse(shown).filter_chains[0].filters[0].typed_config;
  expect(found).toMatchObject({
    filter: { name: "default/f0", configuration: { value: '{"a":1}' } },
    media: {
      advertised_address: "192.0.2.7",
      upstream_transport: "INTERLEAVED",
      upstream_linger: "2s",
      chain: [{ name: "rtp-stats/default/rtsp/rtsp" }, { name: "default/f1" }],
    },
    idle_timeout: "30s",
  });
});

test("makes a cluster and TCP endpoints, apart from those of a UDPRoute to the same backend", () => {
  const produced = produce(yamlFile(smallMesh, rtspGatewayYaml(), rtspRouteYaml()));
  const names = produced.filter(({ schema }) => schema.name === "Cluster").map(({ name }) => name);
  expect(names).toEqual(["backend/default/viewer", "tcp/backend/default/viewer"]);
  const shown = produced
    .filter(({ schema }) => schema.name === "ClusterLoadAssignment")
    .map((item) => JSON.stringify(asJson(item)).includes('"protocol":"UDP"'));
  expect(shown).toEqual([true, false]);
});

test("asks the more specific match first, whatever the order in which matches are written", () => {
  const matches = [
    "{ path: { value: / } }",
    "{ path: { value: /lobby/north } }",
    "{ path: { type: RegularExpression, value: '/cam[0-9]+' } }",
    "{ path: { value: /lobby } }",
    "{ path: { type: Exact, value: /lobby } }",
    "{ path: { value: /lobby }, headers: [{ name: User-Agent, value: VLC }] }",
    "{ path: { value: /lobby }, method: ANNOUNCE }",
  ];
  const [host] = Object.values(hostsOf(rtspRouteYaml({ rule: `matches: [${matches.join(", ")}]` })));
  const header = (name: string, exact: string) => ({ headers: [{ name, string_match: { exact } }] });
  expect(host!.map(({ match }) => match)).toEqual([
    { path: "/lobby" },
    { safe_regex: { regex: "/cam[0-9]+" } },
    { path: "/lobby/north" },
    { prefix: "/lobby/north/" },
    { path: "/lobby", ...header(":method", "ANNOUNCE") },
    { prefix: "/lobby/", ...header(":method", "ANNOUNCE") },
    { path: "/lobby", ...header("user-agent", "VLC") },
    { prefix: "/lobby/", ...header("user-agent", "VLC") },
    { path: "/lobby" },
    { prefix: "/lobby/" },
    { prefix: "/" },
  ]);
});

const rewrites: readonly (readonly [match: string, rewrite: string, result: readonly object[]])[] = [
  [
    "/lobby",
    "type: ReplacePrefixMatch, replacePrefixMatch: /a",
    [{ prefix_rewrite: "/a" }, { prefix_rewrite: "/a/" }],
  ],
  [
    "/lobby",
    "type: ReplacePrefixMatch, replacePrefixMatch: /",
    [{ prefix_rewrite: "/" }, { prefix_rewrite: "/" }],
  ],
  ["/", "type: ReplacePrefixMatch, replacePrefixMatch: /a/", [{ prefix_rewrite: "/a/" }]],
  [
    "/lobby",
    "type: ReplaceFullPath, replaceFullPath: /a",
    [{ prefix_rewrite: "/a" }, { regex_rewrite: { pattern: { regex: "^.*$" }, substitution: "/a" } }],
  ],
];
for (const [match, rewrite, result] of rewrites) {
  test(`rewrites the prefix ${match} by ${rewrite}`, () => {
    const filters = `filters: [{ type: URLRewrite, urlRewrite: { hostname: cam.local, path: { ${rewrite} } } }]`;
    const rule = `matches: [{ path: { value: ${match} } }]\n${filters}`;
    const [host] = Object.values(hostsOf(rtspRouteYaml({ rule })));
    expect(host!.map(({ route }) => route)).toEqual(
      result.map((expected) => ({
        cluster: "tcp/backend/default/viewer",
        host_rewrite_literal: "cam.local",
        ...expected,
      })),
    );
  });
}

test("puts the routes of several RTSPRoutes under their host names, and weighs their backends", () => {
  const weighted = rtspRouteYaml({ name: "a", more: "hostnames: [cams.example, '*.cams.example']" })
    .replace("name: viewer", "name: viewer, weight: 95 }")
    .replace(/- group: .*\n +kind: (.*)\n +name: /, "- { group: mediastreamingmesh.io, kind: $1, name: ")
    .replace(
      "  hostnames",
      "        - { group: mediastreamingmesh.io, kind: Backend, name: canary, weight: 5 }\n  hostnames",
    );
  const hosts = hostsOf(weighted, rtspRouteYaml({ name: "b" }));
  expect(Object.keys(hosts).sort()).toEqual(["*", "*.cams.example", "cams.example"]);
  expect(hosts["cams.example"]![0]!.route).toEqual({
    weighted_clusters: {
      clusters: [
        { name: "tcp/backend/default/viewer", weight: 95 },
        { name: "tcp/backend/default/canary", weight: 5 },
      ],
    },
  });
});

test("makes messages that Envoy's own rules accept, and that fit together", () => {
  const produced = produce(yamlFile(smallMesh, rtspGatewayYaml(), rtspRouteYaml()));
  for (const { schema, message } of produced) expect(validate(schema, message)).toEqual([]);
  const snapshot = createSnapshot(
    produced.map(({ schema, name, message, origins }) => createEntry(schema, name, message, { origins })),
  );
  expect(missingReferences(snapshot)).toEqual([]);
  expect(unusedResources(snapshot)).toEqual([]);
});

test("gives other proxies nothing of RTSP", () => {
  expect(produce(rtspMesh, "envoy")).toEqual([]);
  const both = produce(yamlFile(smallMesh, rtspGatewayYaml(), rtspRouteYaml()), "envoy");
  expect(both.map(({ name }) => name)).not.toContain("default/rtsp/rtsp");
});

test("puts an RTSPS listener in TLS, whose certificates and authorities are secrets that it names", () => {
  const options = "options: { mediastreamingmesh.io/client-names: 'URI:spiffe://mesh/*, DNS:x.example.com' }";
  const gateway = tlsGatewayYaml({ tls: clientTls, more: options });
  const made = produce(yamlFile(tlsMesh(gateway), secretYaml(), authoritiesYaml()));
  const [chain] = one(made, "Listener").filter_chains as unknown as [{ transport_socket: JsonObject }];
  const ads = { ads: {}, resource_api_version: "V3" };
  expect(chain.transport_socket).toEqual({
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
      require_client_certificate: true,
      common_tls_context: {
        tls_params: { tls_minimum_protocol_version: "TLSv1_2" },
        tls_certificate_sds_secret_configs: [{ name: "secret/default/cams", sds_config: ads }],
        combined_validation_context: {
          default_validation_context: {
            match_typed_subject_alt_names: [
              { san_type: "URI", matcher: { prefix: "spiffe://mesh/" } },
              { san_type: "DNS", matcher: { exact: "x.example.com" } },
            ],
          },
          validation_context_sds_secret_config: { name: "configmap/default/players", sds_config: ads },
        },
      },
    },
  });
  const secrets = made.filter(({ schema }) => schema.name === "Secret");
  expect(secrets.map(({ name, origins }) => [name, origins])).toEqual([
    ["secret/default/cams", ["Gateway/default/rtsp", "Secret/default/cams"]],
    ["configmap/default/players", ["Gateway/default/rtsp", "ConfigMap/default/players"]],
  ]);
  const entries = made.map(({ schema, name, message }) => createEntry(schema, name, message));
  expect(missingReferences(createSnapshot(entries))).toEqual([]);
  expect(made.flatMap(({ schema, message }) => validate(schema, message))).toEqual([]);
  expect(produce(yamlFile(tlsMesh(gateway), secretYaml(), authoritiesYaml()), "envoy")).toEqual([]);
});

test("a Secret that no listener names is sent to nobody", () => {
  const made = produce(yamlFile(tlsMesh(), secretYaml(), secretYaml({ name: "other" }), authoritiesYaml()));
  const names = made.filter(({ schema }) => schema.name === "Secret").map(({ name }) => name);
  expect(names).toEqual(["secret/default/cams"]);
});
