// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

const TYPE = "type.googleapis.com/";

/** A static bootstrap: 127.0.0.1:7001 to 127.0.0.1:7002 with the filter rtp-stats, as JSON of Envoy's Bootstrap. */
export function relayBootstrap(preferGro: boolean): object {
  return {
    node: { id: "bench", cluster: "bench" },
    admin: { address: socketAddress("TCP", 0) },
    static_resources: {
      listeners: [
        {
          name: "bench",
          address: socketAddress("UDP", 7001),
          udp_listener_config: {
            downstream_socket_config: { max_rx_datagram_size: 65_535, prefer_gro: preferGro },
          },
          listener_filters: [{ name: "envoy.filters.udp_listener.udp_proxy", typed_config: udpProxy() }],
        },
      ],
      clusters: [
        {
          name: "sink",
          type: "STATIC",
          load_assignment: {
            cluster_name: "sink",
            endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress("UDP", 7002) } }] }],
          },
        },
      ],
    },
  };
}

function socketAddress(protocol: "UDP" | "TCP", port: number): object {
  return { socket_address: { protocol, address: "127.0.0.1", port_value: port } };
}

function udpProxy(): object {
  const route = { "@type": `${TYPE}envoy.extensions.filters.udp.udp_proxy.v3.Route`, cluster: "sink" };
  return {
    "@type": `${TYPE}envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig`,
    stat_prefix: "bench",
    matcher: { on_no_match: { action: { name: "route", typed_config: route } } },
    session_filters: [
      {
        name: "rtp-stats",
        typed_config: {
          "@type": `${TYPE}envoy.extensions.wasm.v3.PluginConfig`,
          name: "rtp-stats",
          vm_config: { runtime: "envoy.wasm.runtime.null", code: { local: { inline_string: "rtp-stats" } } },
          configuration: {
            "@type": `${TYPE}google.protobuf.StringValue`,
            value: '{"clockRates":{"96":90000}}',
          },
        },
      },
    ],
  };
}
