// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { isIP } from "node:net";
import {
  type Cluster,
  Cluster_DiscoveryType,
  ClusterSchema,
} from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import type { AdsServer } from "./ads-server.ts";
import { formatAddress } from "./read-address.ts";
import { readEnvoyTls } from "./read-ads-tls.ts";
import { at, type FieldRule, refuse, refuseOthers } from "./refuse.ts";

const TYPES: readonly (Cluster_DiscoveryType | undefined)[] = [
  undefined,
  Cluster_DiscoveryType.STATIC,
  Cluster_DiscoveryType.STRICT_DNS,
  Cluster_DiscoveryType.LOGICAL_DNS,
];

const RULES: Readonly<Record<string, FieldRule>> = {
  name: "accepted",
  type: "accepted",
  load_assignment: "accepted",
  transport_socket: "accepted",
  // gRPC is HTTP/2 in any case, keeps its connection alive by itself, and there is one endpoint to choose.
  typed_extension_protocol_options: "accepted",
  http2_protocol_options: "accepted",
  upstream_connection_options: "accepted",
  lb_policy: "accepted",
  connect_timeout: "accepted",
  dns_lookup_family: "accepted",
  alt_stat_name: "accepted",
  metadata: "accepted",
};

/** Reads the static cluster of a control plane, which has one endpoint. Throws a `ConfigError`. */
export function readAdsCluster(cluster: Cluster, path: string): AdsServer {
  refuseOthers(ClusterSchema, cluster, path, RULES);
  const type = cluster.clusterDiscoveryType;
  if (type.case === "clusterType" || !TYPES.includes(type.value)) {
    refuse("MSM_BOOTSTRAP_ADS_TARGET", at(path, "type"), "must be STATIC, STRICT_DNS or LOGICAL_DNS");
  }
  const assignmentPath = at(path, "load_assignment");
  const [endpoint, ...others] = (cluster.loadAssignment?.endpoints ?? []).flatMap((l) => l.lbEndpoints);
  if (endpoint === undefined || others.length > 0) {
    refuse("MSM_BOOTSTRAP_ADS_TARGET", assignmentPath, "must have exactly one endpoint");
  }
  const host =
    endpoint.hostIdentifier.case === "endpoint" ? endpoint.hostIdentifier.value.address : undefined;
  const socket = host?.address.case === "socketAddress" ? host.address.value : undefined;
  if (socket?.portSpecifier.case !== "portValue") {
    const field = at(assignmentPath, "endpoints[0].lb_endpoints[0].endpoint.address");
    refuse("MSM_BOOTSTRAP_ADS_TARGET", field, "must be a socket_address with a port_value");
  }
  const port = socket.portSpecifier.value;
  const isAddress = isIP(socket.address) !== 0;
  const target = isAddress
    ? formatAddress({ address: socket.address, port })
    : `dns:${socket.address}:${port}`;
  const tls = readEnvoyTls(cluster.transportSocket, at(path, "transport_socket"));
  return { target, ...(tls === undefined ? {} : { tls }) };
}
