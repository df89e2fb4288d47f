// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// A control plane of your own: Envoys of the cluster "edge" get one TCP listener, and its endpoint moves when told.
import { createEntry, createSnapshot, createXdsServer, SnapshotCache } from "@msm/control-plane/xds";
import { fromJson, registry } from "@msm/xds-protos";
import { ClusterSchema } from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "@msm/xds-protos/envoy/config/listener/v3/listener_pb.js";

const at = (port: number) => ({ socketAddress: { address: "127.0.0.1", portValue: port } });
const edsConfig = { ads: {}, resourceApiVersion: "V3" };
const tcpProxy = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";
const typedConfig = { "@type": tcpProxy, statPrefix: "web", cluster: "web" };

/** The listener, its cluster and where that is now. */
export function snapshotFor(port: number, endpointPort: number) {
  const filterChains = [{ filters: [{ name: "tcp", typedConfig }] }];
  const listener = fromJson(ListenerSchema, { name: "web", address: at(port), filterChains }, { registry });
  const cluster = fromJson(ClusterSchema, { name: "web", type: "EDS", edsClusterConfig: { edsConfig } });
  const endpoints = [{ locality: {}, lbEndpoints: [{ endpoint: { address: at(endpointPort) } }] }];
  const assignment = fromJson(ClusterLoadAssignmentSchema, { clusterName: "web", endpoints });
  return createSnapshot([
    createEntry(ListenerSchema, "web", listener),
    createEntry(ClusterSchema, "web", cluster),
    createEntry(ClusterLoadAssignmentSchema, "web", assignment),
  ]);
}

const cache = new SnapshotCache();
cache.set("edge", snapshotFor(8080, 9001));
const listeners = [{ address: process.env.XDS_ADDRESS ?? "127.0.0.1:15010" }];
export const server = await createXdsServer({ cache, listeners, groupOf: (node) => node.cluster });
export const moveTo = (port: number): void => cache.set("edge", snapshotFor(8080, port));
