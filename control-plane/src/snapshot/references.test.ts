// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { create, fromJson, type JsonValue, registry, typeUrls } from "@msm/xds-protos";
import { ClusterSchema } from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "@msm/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "@msm/xds-protos/envoy/config/route/v3/route_pb.js";
import { expect, test } from "vitest";
import { referencesOf } from "./references.ts";
import { createEntry } from "./resource-entry.ts";
import { createSnapshot, missingReferences, unusedResources } from "./snapshot.ts";

const TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3";
const FILTERS = "type.googleapis.com/envoy.extensions.filters.network";
const ads = { ads: {}, resourceApiVersion: "V3" };
const sds = (name: string): JsonValue => ({ name, sdsConfig: ads });

const listener = (...filters: JsonValue[]) =>
  fromJson(ListenerSchema, { name: "l", filterChains: [{ filters }] }, { registry });
const named = (message: Parameters<typeof referencesOf>[0]): string[] =>
  referencesOf(message).map(({ typeUrl, name }) => `${typeUrl.slice(typeUrl.lastIndexOf(".") + 1)} ${name}`);

test("78: an HTTP listener names its route, and filters that come by ECDS", () => {
  const typedConfig = {
    "@type": `${FILTERS}.http_connection_manager.v3.HttpConnectionManager`,
    rds: { routeConfigName: "web", configSource: ads },
    httpFilters: [{ name: "cors", configDiscovery: { configSource: ads } }],
  };
  expect(named(listener({ name: "http", typedConfig }))).toEqual([
    "RouteConfiguration web",
    "TypedExtensionConfig cors",
  ]);
});

test("78: a gRPC client's listener names its route", () => {
  const api = {
    "@type": `${FILTERS}.http_connection_manager.v3.HttpConnectionManager`,
    rds: { routeConfigName: "web", configSource: ads },
  };
  const message = fromJson(ListenerSchema, { name: "l", apiListener: { apiListener: api } }, { registry });
  expect(named(message)).toEqual(["RouteConfiguration web"]);
});

test("78: a TCP listener names its clusters, and by TLS its secrets", () => {
  const tcp = (fields: object): JsonValue => ({
    name: "tcp",
    typedConfig: { "@type": `${FILTERS}.tcp_proxy.v3.TcpProxy`, statPrefix: "t", ...fields },
  });
  expect(named(listener(tcp({ cluster: "a" })))).toEqual(["Cluster a"]);
  const clusters = [
    { name: "a", weight: 1 },
    { name: "b", weight: 1 },
  ];
  expect(named(listener(tcp({ weightedClusters: { clusters } })))).toEqual(["Cluster a", "Cluster b"]);
  const typedConfig = {
    "@type": `${TLS}.DownstreamTlsContext`,
    commonTlsContext: {
      tlsCertificateSdsSecretConfigs: [sds("cert"), { name: "static" }],
      combinedValidationContext: {
        defaultValidationContext: {},
        validationContextSdsSecretConfig: sds("ca"),
      },
    },
  };
  const chain = { filters: [tcp({ cluster: "a" })], transportSocket: { name: "tls", typedConfig } };
  const message = fromJson(ListenerSchema, { name: "l", filterChains: [chain as JsonValue] }, { registry });
  expect(named(message)).toEqual(["Cluster a", "Secret cert", "Secret ca"]);
});

test("78: a cluster names its endpoints under their service name, and its secrets; a static one no endpoints", () => {
  const eds = { type: "EDS", edsClusterConfig: { serviceName: "svc", edsConfig: ads } };
  const typedConfig = {
    "@type": `${TLS}.UpstreamTlsContext`,
    commonTlsContext: { validationContextSdsSecretConfig: sds("ca") },
  };
  const secured = { name: "c", ...eds, transportSocket: { name: "tls", typedConfig } };
  expect(named(fromJson(ClusterSchema, secured, { registry }))).toEqual([
    "ClusterLoadAssignment svc",
    "Secret ca",
  ]);
  expect(named(fromJson(ClusterSchema, { name: "c", type: "STATIC" }))).toEqual([]);
});

test("78: a route names each of its clusters once", () => {
  const routes = [
    { match: { prefix: "/a" }, route: { cluster: "a" } },
    { match: { prefix: "/b" }, route: { weightedClusters: { clusters: [{ name: "a" }, { name: "b" }] } } },
    { match: { prefix: "/c" }, redirect: {} },
  ];
  const message = fromJson(RouteConfigurationSchema, {
    name: "web",
    virtualHosts: [{ name: "v", domains: ["*"], routes }],
  });
  expect(named(message)).toEqual(["Cluster a", "Cluster b"]);
});

test("78: finds what is referred to and missing, and what nothing refers to", () => {
  const cluster = fromJson(ClusterSchema, { name: "c", type: "EDS", edsClusterConfig: { serviceName: "s" } });
  const endpoints = (name: string) =>
    createEntry(
      ClusterLoadAssignmentSchema,
      name,
      create(ClusterLoadAssignmentSchema, { clusterName: name }),
    );
  const whole = createSnapshot([createEntry(ClusterSchema, "c", cluster), endpoints("s")]);
  expect([missingReferences(whole), unusedResources(whole)]).toEqual([[], []]);
  const wrong = createSnapshot([createEntry(ClusterSchema, "c", cluster), endpoints("c")]);
  const { clusterLoadAssignment: typeUrl } = typeUrls;
  expect(missingReferences(wrong)).toEqual([{ typeUrl, name: "s" }]);
  expect(unusedResources(wrong)).toEqual([{ typeUrl, name: "c" }]);
});
