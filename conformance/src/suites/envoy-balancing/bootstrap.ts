// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

const TYPE = "type.googleapis.com/envoy.extensions.filters.udp.udp_proxy.v3";

/** A listener with a cluster of its own. */
export interface BalancedListener {
  readonly name: string;
  readonly port: number;
  /** The fields of the cluster that say how it chooses. */
  readonly cluster: object;
  readonly weights: readonly number[];
}

/** A static bootstrap that Envoy and our proxy understand alike. */
export function balancingBootstrap(
  listeners: readonly BalancedListener[],
  endpoints: readonly number[],
): object {
  return {
    node: { id: "balancing", cluster: "conformance" },
    admin: { address: address("TCP", 0) },
    static_resources: {
      listeners: listeners.map(({ name, port }) => ({
        name,
        address: address("UDP", port),
        listener_filters: [{ name: "envoy.filters.udp_listener.udp_proxy", typed_config: udpProxy(name) }],
      })),
      clusters: listeners.map(({ name, cluster, weights }) => ({
        ...{ name, connect_timeout: "1s", ...cluster },
        load_assignment: {
          cluster_name: name,
          endpoints: [
            {
              lb_endpoints: endpoints.map((port, index) => ({
                endpoint: { address: address("UDP", port) },
                load_balancing_weight: weights[index % weights.length],
              })),
            },
          ],
        },
      })),
    },
  };
}

function udpProxy(cluster: string): object {
  const typed_config = { "@type": `${TYPE}.Route`, cluster };
  return {
    "@type": `${TYPE}.UdpProxyConfig`,
    stat_prefix: cluster,
    matcher: { on_no_match: { action: { name: "route", typed_config } } },
    hash_policies: [{ source_ip: true }],
  };
}

function address(protocol: "UDP" | "TCP", port: number): object {
  return { socket_address: { protocol, address: "127.0.0.1", port_value: port } };
}
