// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { AnySchema, create, type JsonObject } from "@msm/xds-protos";
import { describe, expect, test } from "vitest";
import { readResource } from "./read-resource.ts";
import { read, refusal, testLoader } from "./testdata/read.ts";
import {
  ADS,
  anyOf,
  discoveredFilter,
  listenerJson,
  pluginJson,
  resource,
  udpAddress,
  udpProxyJson,
} from "./testdata/resources.ts";

/** A filter that runs at stage LISTENER alone. */
const AT_LISTENER = pluginJson({
  configuration: { "@type": "type.googleapis.com/google.protobuf.StringValue", value: "listener" },
});

describe("a listener", () => {
  test("gets Envoy's defaults for what it does not say", async () => {
    const { config } = await read("listener", "a", listenerJson("a", 5004));
    expect(config).toEqual({
      name: "a",
      address: { address: "127.0.0.1", port: 5004 },
      statPrefix: "edge",
      cluster: "viewer",
      idleTimeoutMs: 60_000,
      maxRxDatagramBytes: 1500,
      preferGro: false,
      filters: [],
    });
  });

  test("has filters before its udp_proxy, and others in it", async () => {
    const json = listenerJson("a", 5004, {
      listenerFilters: [{ name: "door", typed_config: AT_LISTENER }, discoveredFilter("gate")],
      udpProxy: { session_filters: [{ name: "room", typed_config: pluginJson() }] },
    });
    const { filters } = await read("listener", "a", json);
    expect(filters).toMatchObject([
      { kind: "loaded", stage: "LISTENER", plan: { name: "door" } },
      { kind: "discovered", stage: "LISTENER", name: "gate" },
      { kind: "loaded", stage: "SESSION", plan: { name: "room" } },
    ]);
  });

  test("is read with everything that it may say", async () => {
    const json = listenerJson("a", 5004, {
      stat_prefix: "x",
      traffic_direction: "INBOUND",
      drain_type: "MODIFY_ONLY",
      enable_reuse_port: true,
      metadata: { filter_metadata: { "io.mediastreamingmesh.listener": { protocol: "RTP" } } },
      udp_listener_config: {
        downstream_socket_config: { max_rx_datagram_size: 65535, prefer_gro: true },
        udp_packet_packet_writer_config: {
          name: "gso",
          typed_config: {
            "@type": "type.googleapis.com/envoy.extensions.udp_packet_writer.v3.UdpGsoBatchWriterFactory",
          },
        },
      },
      udpProxy: {
        idle_timeout: "2.5s",
        hash_policies: [{ source_ip: true }],
        upstream_socket_config: { max_rx_datagram_size: 65535, prefer_gro: true },
        session_filters: [{ name: "one", typed_config: pluginJson() }, discoveredFilter("two")],
      },
    });
    const { config, filters } = await read("listener", "a", json);
    expect(config).toMatchObject({ idleTimeoutMs: 2500, maxRxDatagramBytes: 65535, preferGro: true });
    expect(filters).toMatchObject([
      { kind: "loaded", plan: { name: "one", failurePolicy: "FAIL_CLOSED" } },
      { kind: "discovered", name: "two", fallback: undefined },
    ]);
  });

  test("may name its cluster in the field that Envoy deprecated", async () => {
    const typed_config = { ...udpProxyJson("x"), cluster: "old" } as JsonObject;
    delete (typed_config as Record<string, unknown>).matcher;
    const { config } = await read(
      "listener",
      "a",
      listenerJson("a", 1, { listener_filters: [{ name: "u", typed_config }] }),
    );
    expect(config).toMatchObject({ cluster: "old" });
  });

  const matcherTree = {
    input: { name: "i", typed_config: pluginJson() },
    exact_match_map: { map: { x: { action: { name: "r", typed_config: pluginJson() } } } },
  };
  const proxyPath = "listener_filters[0].typed_config";
  test.each<[string, JsonObject, string]>([
    [
      "TCP",
      { address: { socket_address: { address: "0.0.0.0", port_value: 1 } } },
      "MSM_LISTENER_NOT_UDP address.socket_address.protocol",
    ],
    ["filter chains", { filter_chains: [{}] }, "MSM_LISTENER_NOT_UDP filter_chains"],
    [
      "a host name",
      { address: udpAddress(1, "localhost") },
      "MSM_CONFIG_ADDRESS address.socket_address.address",
    ],
    ["a pipe", { address: { pipe: { path: "/x" } } }, "MSM_CONFIG_ADDRESS address"],
    ["no udp_proxy", { listener_filters: [] }, "MSM_LISTENER_FILTERS listener_filters"],
    [
      "another filter",
      { listener_filters: [{ name: "x", typed_config: pluginJson() }] },
      `MSM_CONFIG_TYPE ${proxyPath}`,
    ],
    ["transparent", { transparent: true }, "MSM_CONFIG_UNSUPPORTED_VALUE transparent"],
    ["an access log", { access_log: [{ name: "x" }] }, "MSM_CONFIG_UNSUPPORTED_FIELD access_log"],
    [
      "socket options",
      { socket_options: [{ level: 0, name: 1, int_value: 1 }] },
      "MSM_CONFIG_UNSUPPORTED_FIELD socket_options",
    ],
    [
      "more addresses",
      { additional_addresses: [{ address: udpAddress(2) }] },
      "MSM_CONFIG_UNSUPPORTED_FIELD additional_addresses",
    ],
    [
      "QUIC",
      { udp_listener_config: { quic_options: {} } },
      "MSM_CONFIG_UNSUPPORTED_FIELD udp_listener_config.quic_options",
    ],
    [
      "a datagram size of 0",
      { udp_listener_config: { downstream_socket_config: { max_rx_datagram_size: 0 } } },
      "MSM_CONFIG_INVALID udp_listener_config.downstream_socket_config.max_rx_datagram_size",
    ],
    ["no stat_prefix", { udpProxy: { stat_prefix: "" } }, `MSM_CONFIG_INVALID ${proxyPath}.stat_prefix`],
    [
      "a matcher with conditions",
      { udpProxy: { matcher: { matcher_tree: matcherTree } } },
      `MSM_LISTENER_MATCHER ${proxyPath}.matcher.matcher_tree.input.typed_config`,
    ],
    [
      "a matcher that does nothing",
      { udpProxy: { matcher: {} } },
      `MSM_LISTENER_MATCHER ${proxyPath}.matcher.on_no_match`,
    ],
    [
      "per-packet balancing",
      { udpProxy: { use_per_packet_load_balancing: true } },
      `MSM_CONFIG_UNSUPPORTED_VALUE ${proxyPath}.use_per_packet_load_balancing`,
    ],
    [
      "the client's address upstream",
      { udpProxy: { use_original_src_ip: true } },
      `MSM_CONFIG_UNSUPPORTED_VALUE ${proxyPath}.use_original_src_ip`,
    ],
    [
      "several hash policies",
      { udpProxy: { hash_policies: [{ source_ip: true }, { key: "x" }] } },
      `MSM_CONFIG_INVALID ${proxyPath}.hash_policies`,
    ],
    [
      "tunnelling",
      { udpProxy: { tunneling_config: { proxy_host: "a", target_host: "b", default_target_port: 1 } } },
      `MSM_CONFIG_UNSUPPORTED_FIELD ${proxyPath}.tunneling_config`,
    ],
    ["no idle time", { udpProxy: { idle_timeout: "0s" } }, `MSM_CONFIG_INVALID ${proxyPath}.idle_timeout`],
    [
      "two limits of size",
      { udpProxy: { upstream_socket_config: { max_rx_datagram_size: 9000 } } },
      `MSM_CONFIG_UNSUPPORTED_VALUE ${proxyPath}.upstream_socket_config.max_rx_datagram_size`,
    ],
    [
      "a filter twice",
      { udpProxy: { session_filters: [discoveredFilter("x"), discoveredFilter("x")] } },
      `MSM_LISTENER_FILTERS ${proxyPath}.session_filters[1].name`,
    ],
    [
      "a filter among listener filters and session filters",
      {
        listenerFilters: [discoveredFilter("x")],
        udpProxy: { session_filters: [discoveredFilter("x")] },
      },
      "MSM_LISTENER_FILTERS listener_filters[0].name",
    ],
    [
      "a session filter among listener filters",
      { listenerFilters: [{ name: "x", typed_config: pluginJson() }] },
      "MSM_FILTER_STAGE listener_filters[0].typed_config",
    ],
    [
      "a listener filter among session filters",
      { udpProxy: { session_filters: [{ name: "x", typed_config: AT_LISTENER }] } },
      `MSM_FILTER_STAGE ${proxyPath}.session_filters[0].typed_config`,
    ],
    [
      "a listener filter that is off at some times",
      { listenerFilters: [{ ...discoveredFilter("x"), filter_disabled: { any_match: true } }] },
      "MSM_CONFIG_UNSUPPORTED_FIELD listener_filters[0].filter_disabled",
    ],
    [
      "an unknown session filter",
      { udpProxy: { session_filters: [{ name: "x", typed_config: udpProxyJson("x") }] } },
      `MSM_CONFIG_TYPE ${proxyPath}.session_filters[0].typed_config`,
    ],
    [
      "ECDS from elsewhere",
      { udpProxy: { session_filters: [discoveredFilter("x", { config_source: { self: {} } })] } },
      `MSM_CONFIG_SOURCE ${proxyPath}.session_filters[0].config_discovery.config_source`,
    ],
    [
      "ECDS with a time limit",
      {
        udpProxy: {
          session_filters: [
            discoveredFilter("x", { config_source: { ...ADS, initial_fetch_timeout: "1s" } }),
          ],
        },
      },
      `MSM_CONFIG_UNSUPPORTED_VALUE ${proxyPath}.session_filters[0].config_discovery.config_source.initial_fetch_timeout`,
    ],
    [
      "ECDS of other types",
      { udpProxy: { session_filters: [discoveredFilter("x", { type_urls: ["a/b"] })] } },
      `MSM_CONFIG_TYPE ${proxyPath}.session_filters[0].config_discovery.type_urls`,
    ],
  ])("with %s is refused", async (_, changes, expected) => {
    expect(await refusal("listener", "a", listenerJson("a", 5004, changes))).toBe(expected);
  });

  test("whose name is not that of its resource is refused", async () => {
    expect(await refusal("listener", "b", listenerJson("a", 5004))).toBe("MSM_XDS_NAME name");
  });

  test("with a field of a newer API is refused instead of being read in part", async () => {
    const body = anyOf(listenerJson("a", 5004));
    // Field 500, a varint.
    const newer = create(AnySchema, {
      typeUrl: body.typeUrl,
      value: new Uint8Array([...body.value, 0xa0, 0x1f, 1]),
    });
    const reading = readResource(
      "listener",
      { ...resource("a", listenerJson("a", 1)), body: newer },
      testLoader,
    );
    await expect(reading).rejects.toMatchObject({ code: "MSM_CONFIG_UNKNOWN_FIELD", field: "resource" });
  });
});
