// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** A host and port, `127.0.0.1:15010` or `[::1]:15010`. */
export type HostPort = string;

/** What a proxy needs to know before it asks its control plane. */
export interface ProxyBootstrapOptions {
  readonly nodeId: string;
  readonly admin: HostPort;
  readonly xds: HostPort;
}

/** Returns a bootstrap in Envoy's form, as JSON, which is YAML as well: everything comes by delta ADS. */
export function proxyBootstrap(options: ProxyBootstrapOptions): string {
  const ads = { ads: {}, resource_api_version: "V3" };
  const endpoint = { address: socketAddress(options.xds) };
  const bootstrap = {
    node: { id: options.nodeId, cluster: "local" },
    admin: { address: socketAddress(options.admin) },
    dynamic_resources: {
      lds_config: ads,
      cds_config: ads,
      ads_config: {
        api_type: "DELTA_GRPC",
        transport_api_version: "V3",
        grpc_services: [{ envoy_grpc: { cluster_name: "xds" } }],
      },
    },
    static_resources: {
      clusters: [
        {
          name: "xds",
          type: "STATIC",
          connect_timeout: "1s",
          load_assignment: { cluster_name: "xds", endpoints: [{ lb_endpoints: [{ endpoint }] }] },
        },
      ],
    },
  };
  return `${JSON.stringify(bootstrap, undefined, 2)}\n`;
}

function socketAddress(hostPort: HostPort): object {
  const { address, port } = parseHostPort(hostPort);
  return { socket_address: { address, port_value: port } };
}

/** Splits a host and port; the brackets of IPv6 go. Throws a RangeError where there is no port. */
export function parseHostPort(hostPort: HostPort): { readonly address: string; readonly port: number } {
  const match = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(hostPort);
  if (!match)
    throw new RangeError(`${JSON.stringify(hostPort)} is no address and port; write 127.0.0.1:15000`);
  return { address: match[1] ?? match[2]!, port: Number(match[3]) };
}
