// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createEntry, createSnapshot, createXdsServer, SnapshotCache } from "@msm/control-plane/xds";
import { fromJson, type JsonObject, registry } from "@msm/xds-protos";
import { ClusterSchema } from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { ListenerSchema } from "@msm/xds-protos/envoy/config/listener/v3/listener_pb.js";

const UDP_PROXY = "type.googleapis.com/envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig";

/** An xDS server with one UDP listener in front of one endpoint, whose idle time-out it changes when told to. */
export class ReloadingServer {
  readonly #cache = new SnapshotCache();
  readonly #listenerPort: number;
  readonly #endpointPort: number;
  #close: () => unknown = () => undefined;
  #address = "";
  reloads = 0;

  private constructor(listenerPort: number, endpointPort: number) {
    this.#listenerPort = listenerPort;
    this.#endpointPort = endpointPort;
  }

  static async start(listenerPort: number, endpointPort: number): Promise<ReloadingServer> {
    const made = new ReloadingServer(listenerPort, endpointPort);
    const server = await createXdsServer({ cache: made.#cache, listeners: [{ address: "127.0.0.1:0" }] });
    made.#close = () => server.close();
    made.#address = server.addresses[0]!;
    made.reload();
    return made;
  }

  /** What a proxy's bootstrap has to say to be configured by it. */
  get bootstrap(): object {
    const [ip, port] = this.#address.split(":") as [string, string];
    const source = { ads: {}, resource_api_version: "V3" };
    const services = [{ envoy_grpc: { cluster_name: "xds" } }];
    return {
      dynamic_resources: {
        ads_config: { api_type: "DELTA_GRPC", transport_api_version: "V3", grpc_services: services },
        lds_config: source,
        cds_config: source,
      },
      static_resources: { clusters: [clusterJson("xds", ip, Number(port))] },
    };
  }

  /** Publishes the listener with another idle time-out. */
  reload(): void {
    const cluster = fromJson(ClusterSchema, clusterJson("echo", "127.0.0.1", this.#endpointPort));
    const listener = fromJson(ListenerSchema, this.#listenerJson(), { registry });
    const entries = [
      createEntry(ClusterSchema, "echo", cluster),
      createEntry(ListenerSchema, "edge", listener),
    ];
    this.#cache.set("default", createSnapshot(entries));
    this.reloads++;
  }

  close(): unknown {
    return this.#close();
  }

  #listenerJson(): JsonObject {
    const typed_config = {
      "@type": UDP_PROXY,
      stat_prefix: "edge",
      cluster: "echo",
      idle_timeout: `${1 + (this.reloads % 2) / 10}s`,
    };
    return {
      name: "edge",
      address: socketAddress("127.0.0.1", this.#listenerPort, "UDP"),
      listener_filters: [{ name: "envoy.filters.udp_listener.udp_proxy", typed_config }],
    };
  }
}

function socketAddress(address: string, port_value: number, protocol = "TCP"): JsonObject {
  return { socket_address: { protocol, address, port_value } };
}

function clusterJson(name: string, ip: string, port: number): JsonObject {
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: socketAddress(ip, port) } }] }];
  return { name, type: "STATIC", load_assignment: { cluster_name: name, endpoints } };
}
