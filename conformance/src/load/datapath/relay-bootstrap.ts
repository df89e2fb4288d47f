// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

const TYPE = "type.googleapis.com/";

/** A session filter of the relay. */
export interface RelayFilter {
  readonly name: string;
  /** One that comes with the proxy, by its name, or else the file of a module, which is metered as those of users are. */
  readonly file?: string;
  readonly configuration?: string;
}

/** What the relay is like. */
export interface RelayBootstrapOptions {
  readonly filters: readonly RelayFilter[];
  readonly preferGro: boolean;
  /** Where it listens, port 7001. */
  readonly address: string;
  /** Where its sessions go, port 7002. */
  readonly endpoints: readonly string[];
}

/** A static bootstrap, as JSON of Envoy's Bootstrap: one UDP listener and one cluster. */
export function relayBootstrap({ filters, preferGro, address, endpoints }: RelayBootstrapOptions): object {
  return {
    node: { id: "bench", cluster: "bench" },
    admin: { address: socketAddress("TCP", "127.0.0.1", 0) },
    static_resources: {
      listeners: [
        {
          name: "bench",
          address: socketAddress("UDP", address, 7001),
          udp_listener_config: {
            downstream_socket_config: { max_rx_datagram_size: 65_535, prefer_gro: preferGro },
          },
          listener_filters: [
            { name: "envoy.filters.udp_listener.udp_proxy", typed_config: udpProxy(filters) },
          ],
        },
      ],
      clusters: [
        {
          name: "sink",
          type: "STATIC",
          load_assignment: {
            cluster_name: "sink",
            endpoints: [
              {
                lb_endpoints: endpoints.map((ip) => ({
                  endpoint: { address: socketAddress("UDP", ip, 7002) },
                })),
              },
            ],
          },
        },
      ],
    },
  };
}

function socketAddress(protocol: "UDP" | "TCP", address: string, port: number): object {
  return { socket_address: { protocol, address, port_value: port } };
}

function udpProxy(filters: readonly RelayFilter[]): object {
  const route = { "@type": `${TYPE}envoy.extensions.filters.udp.udp_proxy.v3.Route`, cluster: "sink" };
  return {
    "@type": `${TYPE}envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig`,
    stat_prefix: "bench",
    matcher: { on_no_match: { action: { name: "route", typed_config: route } } },
    session_filters: filters.map(toFilter),
  };
}

function toFilter({ name, file, configuration = "{}" }: RelayFilter): object {
  const vm_config =
    file === undefined
      ? { runtime: "envoy.wasm.runtime.null", code: { local: { inline_string: name } } }
      : { runtime: "envoy.wasm.runtime.v8", code: { local: { filename: file } } };
  return {
    name,
    typed_config: {
      "@type": `${TYPE}envoy.extensions.wasm.v3.PluginConfig`,
      name,
      vm_config,
      configuration: { "@type": `${TYPE}google.protobuf.StringValue`, value: configuration },
    },
  };
}
