// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

const TYPE = "type.googleapis.com/";
const UDP_PROXY = `${TYPE}envoy.extensions.filters.udp.udp_proxy.v3`;

/** Asks an endpoint five times a second for an echo. */
export const udpHealthCheck = {
  ...{ timeout: "0.2s", interval: "0.2s" },
  ...{ unhealthy_threshold: 2, healthy_threshold: 1 },
  custom_health_check: {
    name: "msm.health_checkers.udp",
    typed_config: {
      "@type": `${TYPE}google.protobuf.Struct`,
      value: { send: { text: "0070696e67" }, receive: [{ text: "70696e67" }] },
    },
  },
};

/**
 * A static bootstrap with a listener for one cluster of two endpoints, the second for when the first has failed, unless
 * their priorities are said.
 */
export function failoverBootstrap(
  ports: readonly [number, number],
  cluster: object,
  priorities: readonly [number, number] = [0, 1],
): object {
  const route = { "@type": `${UDP_PROXY}.Route`, cluster: "game" };
  const typed_config = {
    "@type": `${UDP_PROXY}.UdpProxyConfig`,
    stat_prefix: "game",
    matcher: { on_no_match: { action: { name: "route", typed_config: route } } },
  };
  const endpoints = ports.map((port, index) => ({
    priority: priorities[index],
    lb_endpoints: [{ endpoint: { address: address("UDP", port) } }],
  }));
  return {
    node: { id: "failover", cluster: "conformance" },
    admin: { address: address("TCP", 0) },
    static_resources: {
      listeners: [
        {
          name: "game",
          address: address("UDP", 0),
          listener_filters: [{ name: "envoy.filters.udp_listener.udp_proxy", typed_config }],
        },
      ],
      clusters: [{ name: "game", load_assignment: { cluster_name: "game", endpoints }, ...cluster }],
    },
  };
}

function address(protocol: "UDP" | "TCP", port: number): object {
  return { socket_address: { protocol, address: "127.0.0.1", port_value: port } };
}
