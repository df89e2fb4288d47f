// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import type { JsonObject } from "@msm/xds-protos";
import { describe, expect, test } from "vitest";
import { contradictions, contradictionTable } from "./contradictions.ts";
import { fieldTable, messages, shortName } from "./field-table.ts";
import type { ResourceType } from "./resource.ts";
import { refusal } from "./testdata/read.ts";
import {
  ADS,
  assignmentJson,
  edsClusterJson,
  listenerJson,
  routeJson,
  routesJson,
} from "./testdata/resources.ts";
import { sampleField } from "./testdata/sample-field.ts";

/** A resource in which a message of the table has these fields. */
type Place = (fields: JsonObject) => readonly [ResourceType, JsonObject];

const cluster = (changes: JsonObject): ReturnType<Place> => ["cluster", edsClusterJson("a", changes)];
const check = (fields: JsonObject) =>
  cluster({
    health_checks: [
      {
        ...{ timeout: "1s", interval: "1s", unhealthy_threshold: 1, healthy_threshold: 1 },
        ...(Object.keys(fields).some((name) => name.endsWith("_health_check"))
          ? {}
          : { tcp_health_check: {} }),
        ...fields,
      },
    ],
  });
const address = { socket_address: { protocol: "UDP", address: "127.0.0.1", port_value: 5004 } };
const assignment = (changes: JsonObject): ReturnType<Place> => [
  "clusterLoadAssignment",
  { ...assignmentJson("a", []), ...changes },
];
const endpoint = (fields: JsonObject) => {
  const host: JsonObject = "endpoint_name" in fields ? {} : { endpoint: { address } };
  return assignment({ endpoints: [{ lb_endpoints: [{ ...host, ...fields }] }] });
};
const routes = (route: JsonObject): ReturnType<Place> => ["routeConfiguration", routesJson("a", [route])];
const action = (fields: JsonObject) => routes(routeJson("c", { action: fields }));
const weighted = (fields: JsonObject) =>
  routes({ match: { prefix: "/" }, route: { weighted_clusters: fields } });

/** By the names of the table. */
const places: Readonly<Record<string, Place>> = {
  Cluster: (fields) => {
    const [type, { type: _, ...others }] = cluster(fields);
    return "cluster_type" in fields ? [type, others] : cluster(fields);
  },
  "Cluster.EdsClusterConfig": (fields) => cluster({ eds_cluster_config: { eds_config: ADS, ...fields } }),
  "Cluster.CommonLbConfig": (fields) => cluster({ common_lb_config: fields }),
  "Cluster.LeastRequestLbConfig": (fields) =>
    cluster({ lb_policy: "LEAST_REQUEST", least_request_lb_config: fields }),
  "Cluster.RingHashLbConfig": (fields) => cluster({ lb_policy: "RING_HASH", ring_hash_lb_config: fields }),
  "Cluster.LbSubsetConfig": (fields) => cluster({ lb_subset_config: fields }),
  "Cluster.LbSubsetConfig.LbSubsetSelector": (fields) =>
    cluster({ lb_subset_config: { subset_selectors: [{ keys: ["a"], ...fields }] } }),
  CircuitBreakers: (fields) => cluster({ circuit_breakers: fields }),
  "CircuitBreakers.Thresholds": (fields) => cluster({ circuit_breakers: { thresholds: [fields] } }),
  HealthCheck: check,
  "HealthCheck.TcpHealthCheck": (fields) => check({ tcp_health_check: fields }),
  "HealthCheck.HttpHealthCheck": (fields) => check({ http_health_check: { path: "/", ...fields } }),
  OutlierDetection: (fields) => cluster({ outlier_detection: fields }),
  ClusterLoadAssignment: assignment,
  "ClusterLoadAssignment.Policy": (fields) => assignment({ policy: fields }),
  LocalityLbEndpoints: (fields) => assignment({ endpoints: [fields] }),
  LbEndpoint: endpoint,
  Endpoint: (fields) => endpoint({ endpoint: { address, ...fields } }),
  "Endpoint.HealthCheckConfig": (fields) => endpoint({ endpoint: { address, health_check_config: fields } }),
  UdpProxyConfig: (fields) => ["listener", listenerJson("a", 5004, { udpProxy: fields })],
  RouteConfiguration: (fields) => ["routeConfiguration", { ...routesJson("a"), ...fields }],
  VirtualHost: (fields) => [
    "routeConfiguration",
    { ...routesJson("a"), virtual_hosts: [{ name: "all", domains: ["*"], ...fields }] },
  ],
  Route: (fields) => {
    const { route, ...others } = routeJson("c");
    const isAction = ["redirect", "filter_action", "non_forwarding_action"].some((name) => name in fields);
    return routes(isAction ? { ...others, ...fields } : { ...others, route: route!, ...fields });
  },
  RouteMatch: (fields) => {
    const isPath = ["connect_matcher", "path_match_policy"].some((name) => name in fields);
    return routes({ match: isPath ? fields : { prefix: "/", ...fields }, route: { cluster: "c" } });
  },
  HeaderMatcher: (fields) => routes(routeJson("c", { match: { headers: [{ name: "x", ...fields }] } })),
  RouteAction: (fields) => {
    const specifiers = ["cluster_header", "cluster_specifier_plugin", "inline_cluster_specifier_plugin"];
    const isCluster = specifiers.some((name) => name in fields);
    return isCluster ? routes({ match: { prefix: "/" }, route: fields }) : action(fields);
  },
  WeightedCluster: (fields) => weighted({ clusters: [{ name: "c", weight: 1 }], ...fields }),
  "WeightedCluster.ClusterWeight": (fields) =>
    weighted({ clusters: [{ ...("cluster_header" in fields ? {} : { name: "c" }), weight: 1, ...fields }] }),
  "RouteAction.HashPolicy": (fields) => action({ hash_policy: [fields] }),
};

const document = fileURLToPath(new URL("../../FIELDS.md", import.meta.url));

test("FIELDS.md has the tables of the source (`vitest run -u` writes them)", async () => {
  let text = readFileSync(document, "utf8");
  for (const [name, table] of [
    ["fields", fieldTable()],
    ["contradictions", contradictionTable()],
  ] as const) {
    const between = new RegExp(`(<!-- ${name}:begin -->\n)[\\s\\S]*(\n<!-- ${name}:end -->)`);
    expect(text).toMatch(between);
    text = text.replace(between, (_, begin: string, end: string) => `${begin}${table}${end}`);
  }
  await expect(text).toMatchFileSnapshot(document);
});

const rows = messages.map(([schema, rules]): [string, DescMessage, readonly DescField[]] => [
  shortName(schema),
  schema,
  schema.fields.filter(({ name }) => rules[name] === undefined),
]);

describe("every field of the column `refused` is refused", () => {
  test.each(rows)("in %s", async (name, _, fields) => {
    const place = places[name]!;
    expect(await refusal(...placed(place, {}))).not.toContain("UNSUPPORTED_FIELD");
    for (const field of fields) {
      const found = await refusal(...placed(place, { [field.name]: sampleField(field) }));
      // What breaks a rule of Envoy's API as well is refused for that.
      expect(found, field.name).toMatch(/^MSM_CONFIG_(UNSUPPORTED_FIELD|INVALID) /);
      expect(found, field.name).toContain(field.name);
    }
  });
});

function placed(place: Place, fields: JsonObject): [ResourceType, string, JsonObject] {
  const [type, json] = place(fields);
  return [type, "a", json];
}

test.each(contradictions)("a contradiction is refused: $what", async ({ cluster: fields, code, field }) => {
  const json = { "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", name: "a", ...fields };
  expect(await refusal("cluster", "a", json)).toBe(`${code} ${field}`);
});
