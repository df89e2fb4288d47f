// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { durationFromMs, type JsonObject, type MessageInitShape } from "@msm/xds-protos";
import { Cluster_LbPolicy, type ClusterSchema } from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import type { BackendPolicy } from "../model/backend-policy.ts";
import type { OutlierPolicy } from "../model/outlier-policy.ts";
import { translateHealthCheck } from "./health-check.ts";

/** The namespace of cluster metadata by which proxies of this mesh are told what Envoy has no field for. */
const METADATA = "io.mediastreamingmesh.cluster";

const LB_POLICIES: Readonly<Record<BackendPolicy["balancing"], Cluster_LbPolicy>> = {
  RoundRobin: Cluster_LbPolicy.ROUND_ROBIN,
  LeastRequest: Cluster_LbPolicy.LEAST_REQUEST,
  LeastBits: Cluster_LbPolicy.LEAST_REQUEST,
  Random: Cluster_LbPolicy.RANDOM,
  RingHash: Cluster_LbPolicy.RING_HASH,
  Maglev: Cluster_LbPolicy.MAGLEV,
};

/** The fields of a cluster that say what a policy does; Envoy understands all but the metadata, and ignores those. */
export function clusterPolicy(policy: BackendPolicy | undefined): Fields {
  if (policy === undefined) return {};
  const { balancing, healthCheck, limits, outlierDetection } = policy;
  const metadata = metadataOf(policy);
  return {
    lbPolicy: LB_POLICIES[balancing],
    ...slowStartOf(policy),
    ...(limits && { circuitBreakers: circuitBreakersOf(limits) }),
    ...(healthCheck && { healthChecks: [translateHealthCheck(healthCheck)] }),
    ...(outlierDetection && { outlierDetection: outlierDetectionOf(outlierDetection) }),
    ...(metadata && { metadata: { filterMetadata: { [METADATA]: metadata } } }),
  };
}

type Fields = Exclude<MessageInitShape<typeof ClusterSchema>, { readonly $typeName: string }>;

function slowStartOf({ balancing, slowStart }: BackendPolicy): Pick<Fields, "lbConfig"> {
  if (slowStart === undefined) return {};
  const slowStartConfig = { slowStartWindow: durationFromMs(slowStart) };
  const isRoundRobin = balancing === "RoundRobin";
  return {
    lbConfig: {
      case: isRoundRobin ? "roundRobinLbConfig" : "leastRequestLbConfig",
      value: { slowStartConfig },
    },
  };
}

function circuitBreakersOf({ sessions, sessionsPerEndpoint }: NonNullable<BackendPolicy["limits"]>) {
  const thresholds = (max: number | undefined) => (max === undefined ? [] : [{ maxConnections: max }]);
  return { thresholds: thresholds(sessions), perHostThresholds: thresholds(sessionsPerEndpoint) };
}

/** What is not asked for is not enforced, though Envoy would. */
function outlierDetectionOf(outliers: OutlierPolicy) {
  const { successRate, failurePercentage } = outliers;
  return {
    splitExternalLocalOriginErrors: true,
    consecutive5xx: outliers.errors,
    consecutiveLocalOriginFailure: outliers.errors,
    interval: durationFromMs(outliers.interval),
    baseEjectionTime: durationFromMs(outliers.ejectionTime),
    maxEjectionPercent: outliers.maxEjectionPercent,
    enforcingSuccessRate: successRate === undefined ? 0 : 100,
    enforcingLocalOriginSuccessRate: successRate === undefined ? 0 : 100,
    ...(successRate && {
      successRateMinimumHosts: successRate.minimumHosts,
      successRateRequestVolume: successRate.requestVolume,
      successRateStdevFactor: Math.round(successRate.deviations * 1000),
    }),
    ...(failurePercentage && {
      enforcingFailurePercentage: 100,
      enforcingFailurePercentageLocalOrigin: 100,
      failurePercentageThreshold: failurePercentage.threshold,
      failurePercentageMinimumHosts: failurePercentage.minimumHosts,
      failurePercentageRequestVolume: failurePercentage.requestVolume,
    }),
  };
}

function metadataOf({ balancing, drainLinger, outlierDetection }: BackendPolicy): JsonObject | undefined {
  const durations = {
    drain_linger: drainLinger,
    response_silence: outlierDetection?.responseSilence,
    stream_silence: outlierDetection?.streamSilence,
    jitter_threshold: outlierDetection?.maxJitter,
  };
  const fields = {
    ...Object.fromEntries(
      Object.entries(durations).map(([name, ms]) => [name, ms === undefined ? ms : `${ms / 1000}s`]),
    ),
    loss_threshold: outlierDetection?.maxLoss,
    least_request_by: balancing === "LeastBits" ? "bits_per_second" : undefined,
  };
  const said = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  return said.length === 0 ? undefined : Object.fromEntries(said);
}
