// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { create, durationFromMs, type MessageInitShape } from "@msm/xds-protos";
import {
  type Cluster,
  type Cluster_CommonLbConfigSchema,
  Cluster_DiscoveryType,
  Cluster_DnsLookupFamily,
  Cluster_LbPolicy,
  ClusterSchema,
} from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import type { ClusterLoadAssignment } from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import type { BackendPolicy } from "../model/backend-policy.ts";
import { clusterPolicy } from "./cluster-policy.ts";
import { adsConfigSource } from "./config-source.ts";

// Envoy demands a value; UDP connects at once, and a TCP peer that needs longer is worse than the next endpoint.
const CONNECT_TIMEOUT_MS = 1000;

const weightedByLocality: MessageInitShape<typeof Cluster_CommonLbConfigSchema> = {
  localityConfigSpecifier: { case: "localityWeightedLbConfig", value: {} },
};

// The names of a backend are looked up as often as their owner says, and at most every second while nobody answers.
const FAILURE_BASE_MS = 1000;
const FAILURE_MAX_MS = 30_000;

/**
 * Makes an EDS cluster that gives new sessions to its endpoints in turn. Where backends are weighted, their groups
 * of endpoints share by weight first.
 */
export function translateCluster(name: string, isWeighted = false, policy?: BackendPolicy): Cluster {
  return create(ClusterSchema, {
    ...common(name, isWeighted, policy),
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: adsConfigSource(), serviceName: name },
  });
}

/** The same where some endpoint has a name: every address that the name has takes sessions. */
export function translateNamedCluster(
  name: string,
  isWeighted: boolean,
  loadAssignment: ClusterLoadAssignment,
  policy?: BackendPolicy,
): Cluster {
  return create(ClusterSchema, {
    ...common(name, isWeighted, policy),
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STRICT_DNS },
    loadAssignment,
    respectDnsTtl: true,
    // A host with addresses of both families is one endpoint, and IPv4 is what cameras and game servers speak.
    dnsLookupFamily: Cluster_DnsLookupFamily.V4_PREFERRED,
    dnsFailureRefreshRate: {
      baseInterval: durationFromMs(FAILURE_BASE_MS),
      maxInterval: durationFromMs(FAILURE_MAX_MS),
    },
  });
}

function common(name: string, isWeighted: boolean, policy: BackendPolicy | undefined) {
  return {
    name,
    connectTimeout: durationFromMs(CONNECT_TIMEOUT_MS),
    lbPolicy: Cluster_LbPolicy.ROUND_ROBIN,
    ...(isWeighted ? { commonLbConfig: weightedByLocality } : {}),
    ...clusterPolicy(policy),
  };
}
