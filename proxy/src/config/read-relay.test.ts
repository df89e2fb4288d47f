// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from "@msm/xds-protos";
import { expect, test } from "vitest";
import { read, refusal } from "./testdata/read.ts";
import { pluginJson, signallingJson } from "./testdata/resources.ts";

const NETWORK = "type.googleapis.com/envoy.extensions.filters.network";
const ADS = { ads: {}, resource_api_version: "V3" };
const FILTERS = "filter_chains[0].filters";

function wasm(changes: JsonObject = {}): JsonObject {
  const { "@type": _, ...config } = pluginJson();
  return {
    name: "wasm",
    typed_config: { "@type": `${NETWORK}.wasm.v3.Wasm`, config: { ...config, ...changes } },
  };
}

function tcpProxy(changes: JsonObject = { cluster: "echo" }): JsonObject {
  const typed_config = { "@type": `${NETWORK}.tcp_proxy.v3.TcpProxy`, stat_prefix: "tcp", ...changes };
  return { name: "tcp", typed_config };
}

const listener = (...filters: JsonObject[]): JsonObject =>
  signallingJson("a", 7000, { filter_chains: [{ filters }] });

test("a network filter before a tcp_proxy relays connections to its cluster", async () => {
  const value = await read("listener", "a", listener(wasm({ fail_open: true }), tcpProxy()));
  expect(value).toMatchObject({
    kind: "signalling",
    filter: { name: "pass", failurePolicy: "FAIL_OPEN" },
    config: {
      ...{ isRelay: true, statPrefix: "tcp", options: { idleTimeoutMs: 3_600_000 } },
      routes: { table: { hosts: [{ routes: [{ action: { clusters: [{ name: "echo", weight: 1 }] } }] }] } },
    },
  });
});

test("or to several clusters by their weights, for as long as they are not idle", async () => {
  const clusters = [
    { name: "a", weight: 3 },
    { name: "b", weight: 1 },
  ];
  const proxy = tcpProxy({ weighted_clusters: { clusters }, idle_timeout: "5s", max_connect_attempts: 1 });
  const { config } = await read("listener", "a", listener(wasm(), proxy));
  expect(config).toMatchObject({
    options: { idleTimeoutMs: 5_000 },
    routes: { table: { hosts: [{ routes: [{ action: { clusters } }] }] } },
  });
});

test.each<[string, JsonObject[], string]>([
  ["a tcp_proxy alone", [tcpProxy()], `MSM_LISTENER_FILTER_CHAIN ${FILTERS}`],
  ["two filters before it", [wasm(), wasm(), tcpProxy()], `MSM_LISTENER_FILTER_CHAIN ${FILTERS}`],
  ["another filter before it", [tcpProxy(), tcpProxy()], `MSM_CONFIG_TYPE ${FILTERS}[0].typed_config`],
  [
    "a filter that comes by ECDS",
    [
      { name: "x", config_discovery: { config_source: ADS, type_urls: [`${NETWORK}.wasm.v3.Wasm`] } },
      tcpProxy(),
    ],
    `MSM_CONFIG_UNSUPPORTED_FIELD ${FILTERS}[0].config_discovery`,
  ],
  ["no cluster", [wasm(), tcpProxy({})], `MSM_CONFIG_INVALID ${FILTERS}[1].typed_config.cluster_specifier`],
  [
    "a tunnel",
    [wasm(), tcpProxy({ cluster: "a", tunneling_config: { hostname: "h" } })],
    `MSM_CONFIG_UNSUPPORTED_FIELD ${FILTERS}[1].typed_config.tunneling_config`,
  ],
  [
    "a weight that asks for metadata",
    [wasm(), tcpProxy({ weighted_clusters: { clusters: [{ name: "a", weight: 1, metadata_match: {} }] } })],
    `MSM_CONFIG_UNSUPPORTED_FIELD ${FILTERS}[1].typed_config.weighted_clusters.clusters[0].metadata_match`,
  ],
])("%s is refused", async (_, filters, expected) => {
  expect(await refusal("listener", "a", listener(...filters))).toBe(expected);
});
