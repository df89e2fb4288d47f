// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { create, durationFromMs, type MessageInitShape } from "@msm/xds-protos";
import {
  type Cluster,
  type Cluster_CommonLbConfigSchema,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { adsConfigSource } from "./config-source.ts";

// Envoy demands a value; UDP connects at once.
const CONNECT_TIMEOUT_MS = 1000;

const weightedByLocality: MessageInitShape<typeof Cluster_CommonLbConfigSchema> = {
  localityConfigSpecifier: { case: "localityWeightedLbConfig", value: {} },
};

/**
 * Makes an EDS cluster that gives new sessions to its endpoints in turn. Where backends are weighted, their groups
 * of endpoints share by weight first.
 */
export function translateCluster(name: string, isWeighted = false): Cluster {
  return create(ClusterSchema, {
    name,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: adsConfigSource(), serviceName: name },
    connectTimeout: durationFromMs(CONNECT_TIMEOUT_MS),
    lbPolicy: Cluster_LbPolicy.ROUND_ROBIN,
    ...(isWeighted ? { commonLbConfig: weightedByLocality } : {}),
  });
}
