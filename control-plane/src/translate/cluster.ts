// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { create, durationFromMs } from "@msm/xds-protos";
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { adsConfigSource } from "./config-source.ts";

// Envoy demands a value; UDP connects at once.
const CONNECT_TIMEOUT_MS = 1000;

/** Makes an EDS cluster that gives new sessions to its endpoints in turn. */
export function translateCluster(name: string): Cluster {
  return create(ClusterSchema, {
    name,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: adsConfigSource(), serviceName: name },
    connectTimeout: durationFromMs(CONNECT_TIMEOUT_MS),
    lbPolicy: Cluster_LbPolicy.ROUND_ROBIN,
  });
}
