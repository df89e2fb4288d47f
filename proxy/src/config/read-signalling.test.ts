// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from "@msm/xds-protos";
import { expect, test } from "vitest";
import { read, refusal } from "./testdata/read.ts";
import { pluginJson, routesJson, signallingJson, udpAddress } from "./testdata/resources.ts";

const plugin = ({ "@type": _, ...fields }: JsonObject): JsonObject => fields;

test("a TCP listener with a SignallingProxy gets its defaults", async () => {
  const value = await read("listener", "a", signallingJson("a", 554));
  expect(value).toMatchObject({
    kind: "signalling",
    filter: { name: "pass" },
    config: {
      name: "a",
      address: { address: "127.0.0.1", port: 554 },
      statPrefix: "rtsp",
      routes: { kind: "rds", name: "edge" },
      options: {
        ...{ advertisedAddress: "", localAddress: "", upstreamTransport: "AUTOMATIC" },
        ...{ upstreamLingerMs: 5_000, idleTimeoutMs: 60_000, maxFlowsPerConnection: 64 },
      },
      mediaChain: [],
      maxConnections: 10_000,
    },
  });
});

test("and everything that it may say", async () => {
  const { "@type": _, ...route_config } = routesJson("inline");
  const proxy = {
    route_config,
    max_connections: 5,
    idle_timeout: "10s",
    media: {
      ...{ advertised_address: "203.0.113.9", local_address: "192.0.2.2", upstream_transport: "INTERLEAVED" },
      ...{ upstream_linger: "1.5s", max_flows_per_connection: 8, chain: [plugin(pluginJson())] },
    },
  };
  const value = await read("listener", "a", signallingJson("a", 554, { proxy }));
  expect(value.config).toMatchObject({
    routes: { kind: "inline", table: { name: "inline" } },
    options: {
      ...{ advertisedAddress: "203.0.113.9", localAddress: "192.0.2.2", upstreamTransport: "INTERLEAVED" },
      ...{ upstreamLingerMs: 1_500, idleTimeoutMs: 10_000, maxFlowsPerConnection: 8 },
    },
    mediaChain: [{ name: "pass" }],
    maxConnections: 5,
  });
});

const CONFIG = "filter_chains[0].filters[0].typed_config";
test.each<[string, JsonObject, string]>([
  ["two filter chains", { filter_chains: [{}, {}] }, "MSM_LISTENER_FILTER_CHAIN filter_chains"],
  ["no filter", { filter_chains: [{}] }, "MSM_LISTENER_FILTER_CHAIN filter_chains[0].filters"],
  [
    "another filter",
    { filter_chains: [{ filters: [{ name: "x", typed_config: pluginJson() }] }] },
    `MSM_CONFIG_TYPE ${CONFIG}`,
  ],
  [
    "a match",
    { filter_chains: [{ filter_chain_match: { server_names: ["a"] } }] },
    "MSM_CONFIG_UNSUPPORTED_FIELD filter_chains[0].filter_chain_match",
  ],
  [
    "a transport socket that is no TLS",
    { filter_chains: [{ transport_socket: { name: "tls", typed_config: pluginJson() } }] },
    "MSM_CONFIG_TYPE filter_chains[0].transport_socket.typed_config",
  ],
  [
    "listener filters",
    { listener_filters: [{ name: "x" }] },
    "MSM_CONFIG_UNSUPPORTED_FIELD listener_filters",
  ],
  ["UDP", { address: udpAddress(554) }, "MSM_LISTENER_NOT_UDP filter_chains"],
  ["no connections", { proxy: { max_connections: 0 } }, `MSM_CONFIG_INVALID ${CONFIG}.max_connections`],
  [
    "a local name",
    { proxy: { media: { local_address: "here" } } },
    `MSM_CONFIG_ADDRESS ${CONFIG}.media.local_address`,
  ],
  [
    "an advertised text",
    { proxy: { media: { advertised_address: "not a name" } } },
    `MSM_CONFIG_ADDRESS ${CONFIG}.media.advertised_address`,
  ],
  [
    "a filter that may be missing",
    { proxy: { filter: plugin(pluginJson({ fail_open: true })) } },
    `MSM_FILTER_FAILURE_POLICY ${CONFIG}.filter.failure_policy`,
  ],
  [
    "a bad filter of media",
    { proxy: { media: { chain: [plugin(pluginJson({}, "unheard"))] } } },
    `MSM_FILTER_BUILTIN ${CONFIG}.media.chain[0].vm_config.code`,
  ],
  [
    "a time limit for routes",
    {
      proxy: {
        rds: {
          config_source: { ads: {}, resource_api_version: "V3", initial_fetch_timeout: "3s" },
          route_config_name: "edge",
        },
      },
    },
    `MSM_CONFIG_UNSUPPORTED_VALUE ${CONFIG}.rds.config_source.initial_fetch_timeout`,
  ],
])("a listener with %s is refused", async (_, changes, expected) => {
  expect(await refusal("listener", "a", signallingJson("a", 554, changes))).toBe(expected);
});
