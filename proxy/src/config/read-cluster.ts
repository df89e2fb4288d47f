// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { durationMs } from "@msm/xds-protos";
import {
  type CircuitBreakers,
  type CircuitBreakers_Thresholds,
  CircuitBreakers_ThresholdsSchema,
  CircuitBreakersSchema,
} from "@msm/xds-protos/envoy/config/cluster/v3/circuit_breaker_pb.js";
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_EdsClusterConfigSchema,
  ClusterSchema,
} from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { RoutingPriority } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import { type BalancingPlan, type BalancingPolicy, defaultBalancing } from "../cluster/balancing-plan.ts";
import type { HealthCheckPlan } from "../cluster/health-check-plan.ts";
import type { LeastBy } from "../cluster/least-request.ts";
import type { OutlierPlan } from "../cluster/outlier-plan.ts";
import { readBalancing } from "./read-balancing.ts";
import { readClusterMetadata } from "./read-cluster-metadata.ts";
import { checkAwaitedSource } from "./read-config-source.ts";
import { type NamedEndpoints, readDns, refuseDns } from "./read-dns.ts";
import { type HealthCheckers, readHealthCheck } from "./read-health-check.ts";
import { type LoadAssignment, readLoadAssignment } from "./read-load-assignment.ts";
import { readOutlierDetection } from "./read-outlier-detection.ts";
import { at, type FieldRule, onlyFalse, refuse, refuseOthers } from "./refuse.ts";

/** A cluster as configured: with its endpoints, or with the name by which EDS has them. */
export interface ClusterConfig {
  readonly name: string;
  /** Without the overprovisioning factor, which comes with the endpoints. */
  readonly balancing: Omit<BalancingPlan, "overprovisioningFactor">;
  readonly healthChecks: readonly HealthCheckPlan[];
  readonly outliers: OutlierPlan | undefined;
  /** See `ClusterPlan`. */
  readonly drainLingerMs: number;
  readonly connectTimeoutMs?: number;
  readonly endpoints:
    | { readonly kind: "static"; readonly assignment: LoadAssignment }
    | { readonly kind: "eds"; readonly serviceName: string }
    | NamedEndpoints;
}

/** What is said of each field of `Cluster`; any other is refused. */
export const clusterRules: Readonly<Record<string, FieldRule>> = {
  name: "accepted",
  type: "accepted",
  eds_cluster_config: "accepted",
  load_assignment: "accepted",
  lb_policy: "accepted",
  load_balancing_policy: "accepted",
  round_robin_lb_config: "accepted",
  least_request_lb_config: "accepted",
  ring_hash_lb_config: "accepted",
  maglev_lb_config: "accepted",
  common_lb_config: "accepted",
  lb_subset_config: "accepted",
  circuit_breakers: "accepted",
  health_checks: "accepted",
  outlier_detection: "accepted",
  close_connections_on_host_health_failure: onlyFalse,
  // For the connections of signalling filters.
  connect_timeout: "accepted",
  // Only where endpoints have names, but for the family, which Istio sets everywhere.
  dns_refresh_rate: "accepted",
  dns_failure_refresh_rate: "accepted",
  respect_dns_ttl: "accepted",
  dns_lookup_family: "accepted",
  typed_dns_resolver_config: "accepted",
  use_tcp_for_dns_lookups: onlyFalse,
  // These describe a cluster, or concern connections that these clusters do not have.
  alt_stat_name: "accepted",
  metadata: "accepted",
  per_connection_buffer_limit_bytes: "accepted",
  cleanup_interval: "accepted",
  // An endpoint that is taken out goes after its linger, whatever checks say.
  ignore_health_on_host_removal: "accepted",
  wait_for_warm_on_init: "accepted",
};

/** The same of `CircuitBreakers.Thresholds`. */
export const thresholdRules: Readonly<Record<string, FieldRule>> = {
  priority: { only: RoutingPriority.DEFAULT, hint: "sessions have no other priority than DEFAULT" },
  max_connections: "accepted",
  max_pending_requests: "accepted",
  max_requests: "accepted",
  max_retries: "accepted",
  max_connection_pools: "accepted",
};

/** The same of `Cluster.EdsClusterConfig`. */
export const edsRules: Readonly<Record<string, FieldRule>> = {
  eds_config: "accepted",
  service_name: "accepted",
};

/** The same of `CircuitBreakers`. */
export const circuitBreakerRules: Readonly<Record<string, FieldRule>> = {
  thresholds: "accepted",
  per_host_thresholds: "accepted",
};

type FieldRules = Readonly<Record<string, FieldRule>>;

/** The same for each endpoint: Envoy has no other limit there. */
const perHostRules: FieldRules = {
  priority: thresholdRules.priority!,
  max_connections: "accepted",
};

/** Reads a cluster. Pure. Throws a `ConfigError` on whatever would not be honoured. */
export function readCluster(cluster: Cluster, path: string, checkers: HealthCheckers): ClusterConfig {
  refuseOthers(ClusterSchema, cluster, path, clusterRules);
  const balancing = {
    ...readBalancing(cluster, path),
    ...readLimits(cluster.circuitBreakers, at(path, "circuit_breakers")),
  };
  const { outlierDetection } = cluster;
  const outliers = readOutlierDetection(outlierDetection, at(path, "outlier_detection"));
  const metadataPath = at(path, "metadata");
  const { drainLingerMs, leastBy, ...fromMedia } = readClusterMetadata(
    cluster.metadata,
    metadataPath,
    outliers !== undefined,
  );
  const common = {
    name: cluster.name,
    balancing: { ...balancing, policy: withLoad(balancing.policy, leastBy, metadataPath) },
    healthChecks: cluster.healthChecks.map((check, index) =>
      readHealthCheck(check, at(path, `health_checks[${index}]`), checkers),
    ),
    outliers: outliers && { ...outliers, ...fromMedia },
    drainLingerMs,
    ...(cluster.connectTimeout === undefined ? {} : { connectTimeoutMs: durationMs(cluster.connectTimeout) }),
  };
  return { ...common, endpoints: readEndpoints(cluster, path) };
}

/** Envoy's default: a session counts as much as weight does. */
const UNBIASED = 1;

function withLoad(policy: BalancingPolicy, leastBy: LeastBy, metadataPath: string): BalancingPolicy {
  if (leastBy === "sessions") return policy;
  if (policy.kind !== "LEAST_REQUEST") {
    const problem = "least_request_by is for LEAST_REQUEST alone; remove it or set lb_policy: LEAST_REQUEST";
    refuse("MSM_CLUSTER_METADATA", metadataPath, problem);
  }
  if (policy.activeRequestBias !== UNBIASED) {
    const problem = "least_request_by bits_per_second knows no active_request_bias; remove one of them";
    refuse("MSM_CLUSTER_METADATA", metadataPath, problem);
  }
  return { ...policy, leastBy };
}

function readEndpoints(cluster: Cluster, path: string): ClusterConfig["endpoints"] {
  const discovery = cluster.clusterDiscoveryType;
  const type =
    discovery.case === "clusterType" ? undefined : (discovery.value ?? Cluster_DiscoveryType.STATIC);
  switch (type) {
    case Cluster_DiscoveryType.STATIC:
      refuseDns(cluster, path);
      refuseEds(cluster, path);
      return readStatic(cluster, path);
    case Cluster_DiscoveryType.EDS:
      refuseDns(cluster, path);
      return readEds(cluster, path);
    case Cluster_DiscoveryType.STRICT_DNS:
    case Cluster_DiscoveryType.LOGICAL_DNS:
      refuseEds(cluster, path);
      return readDns(cluster, type, path);
    default:
      return refuse(
        "MSM_CLUSTER_DISCOVERY",
        at(path, "type"),
        "must be EDS, STATIC, STRICT_DNS or LOGICAL_DNS",
      );
  }
}

function refuseEds(cluster: Cluster, path: string): void {
  if (cluster.edsClusterConfig === undefined) return;
  const problem = "is only for type EDS; remove it or set type: EDS";
  refuse("MSM_CONFIG_UNSUPPORTED_FIELD", at(path, "eds_cluster_config"), problem);
}

function readStatic(cluster: Cluster, path: string): ClusterConfig["endpoints"] {
  const assignmentPath = at(path, "load_assignment");
  if (cluster.loadAssignment === undefined) {
    refuse("MSM_CONFIG_MISSING", assignmentPath, "is needed for type STATIC");
  }
  return { kind: "static", assignment: readLoadAssignment(cluster.loadAssignment, assignmentPath) };
}

function readEds(cluster: Cluster, path: string): ClusterConfig["endpoints"] {
  if (cluster.loadAssignment !== undefined) {
    const problem = "is not for type EDS; remove it or set another type";
    refuse("MSM_CONFIG_UNSUPPORTED_FIELD", at(path, "load_assignment"), problem);
  }
  const edsPath = at(path, "eds_cluster_config");
  const eds = cluster.edsClusterConfig;
  if (eds === undefined) refuse("MSM_CONFIG_MISSING", edsPath, "is needed for type EDS");
  refuseOthers(Cluster_EdsClusterConfigSchema, eds, edsPath, edsRules);
  checkAwaitedSource(eds.edsConfig, at(edsPath, "eds_config"));
  return { kind: "eds", serviceName: eds.serviceName === "" ? cluster.name : eds.serviceName };
}

/** Envoy's `max_connections` are sessions, and `max_pending_requests` connections being made: nothing is queued. */
function readLimits(
  breakers: CircuitBreakers | undefined,
  path: string,
): Pick<BalancingPlan, "maxSessions" | "maxSessionsPerEndpoint" | "maxPending"> {
  const { maxSessions, maxSessionsPerEndpoint, maxPending } = defaultBalancing;
  if (breakers === undefined) return { maxSessions, maxSessionsPerEndpoint, maxPending };
  refuseOthers(CircuitBreakersSchema, breakers, path, circuitBreakerRules);
  const check = (list: readonly CircuitBreakers_Thresholds[], name: string, rules: FieldRules): void => {
    list.forEach((thresholds, index) => {
      refuseOthers(CircuitBreakers_ThresholdsSchema, thresholds, `${at(path, name)}[${index}]`, rules);
    });
  };
  check(breakers.thresholds, "thresholds", thresholdRules);
  check(breakers.perHostThresholds, "per_host_thresholds", perHostRules);
  const [cluster, endpoint] = [breakers.thresholds[0], breakers.perHostThresholds[0]];
  return {
    maxSessions: cluster?.maxConnections ?? maxSessions,
    maxSessionsPerEndpoint: endpoint?.maxConnections ?? maxSessionsPerEndpoint,
    maxPending: cluster?.maxPendingRequests ?? maxPending,
  };
}
