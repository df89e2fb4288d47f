// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { durationFromMs, type JsonObject, type MessageInitShape } from "@msm/xds-protos";
import { Cluster_LbPolicy, type ClusterSchema } from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import type { BackendPolicy } from "../model/backend-policy.ts";

/** The namespace of cluster metadata by which proxies of this mesh are told what Envoy has no field for. */
const METADATA = "io.mediastreamingmesh.cluster";

const LB_POLICIES: Readonly<Record<BackendPolicy["balancing"], Cluster_LbPolicy>> = {
  RoundRobin: Cluster_LbPolicy.ROUND_ROBIN,
  LeastRequest: Cluster_LbPolicy.LEAST_REQUEST,
  Random: Cluster_LbPolicy.RANDOM,
};

/** The fields of a cluster that say what its Backend's policy does; Envoy understands all but the metadata, and ignores those. */
export function clusterPolicy(policy: BackendPolicy | undefined): Fields {
  if (policy === undefined) return {};
  const { balancing, healthCheck, outlierDetection } = policy;
  const metadata = metadataOf(policy);
  return {
    lbPolicy: LB_POLICIES[balancing],
    ...(healthCheck && { healthChecks: [healthCheckOf(healthCheck)] }),
    ...(outlierDetection && { outlierDetection: outlierDetectionOf(outlierDetection) }),
    ...(metadata && { metadata: { filterMetadata: { [METADATA]: metadata } } }),
  };
}

type Fields = Exclude<MessageInitShape<typeof ClusterSchema>, { readonly $typeName: string }>;

function healthCheckOf(check: NonNullable<BackendPolicy["healthCheck"]>) {
  return {
    timeout: durationFromMs(check.timeout),
    interval: durationFromMs(check.interval),
    unhealthyThreshold: check.unhealthyThreshold,
    healthyThreshold: check.healthyThreshold,
    altPort: check.port,
    healthChecker: { case: "tcpHealthCheck" as const, value: {} },
  };
}

function outlierDetectionOf(outliers: NonNullable<BackendPolicy["outlierDetection"]>) {
  return {
    splitExternalLocalOriginErrors: true,
    consecutiveLocalOriginFailure: outliers.errors,
    baseEjectionTime: durationFromMs(outliers.ejectionTime),
    maxEjectionPercent: outliers.maxEjectionPercent,
    // Sessions of datagrams have no rate of success.
    enforcingLocalOriginSuccessRate: 0,
    enforcingSuccessRate: 0,
  };
}

function metadataOf({ drainLinger, outlierDetection }: BackendPolicy): JsonObject | undefined {
  const durations = {
    drain_linger: drainLinger,
    response_silence: outlierDetection?.responseSilence,
    stream_silence: outlierDetection?.streamSilence,
  };
  const said = Object.entries(durations).filter(([, ms]) => ms !== undefined);
  return said.length === 0
    ? undefined
    : Object.fromEntries(said.map(([name, ms]) => [name, `${ms! / 1000}s`]));
}
