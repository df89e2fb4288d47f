// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import {
  type CircuitBreakers,
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
import { type BalancingPlan, defaultBalancing } from "../cluster/balancing-plan.ts";
import type { HealthCheckPlan } from "../cluster/health-check-plan.ts";
import type { OutlierPlan } from "../cluster/outlier-plan.ts";
import { readBalancing } from "./read-balancing.ts";
import { checkAwaitedSource } from "./read-config-source.ts";
import { readDrainLinger } from "./read-drain-linger.ts";
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
  readonly endpoints:
    | { readonly kind: "static"; readonly assignment: LoadAssignment }
    | { readonly kind: "eds"; readonly serviceName: string };
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
  circuit_breakers: "accepted",
  health_checks: "accepted",
  outlier_detection: "accepted",
  close_connections_on_host_health_failure: onlyFalse,
  // These describe a cluster, or concern connections or DNS, which these clusters do not have.
  alt_stat_name: "accepted",
  metadata: "accepted",
  connect_timeout: "accepted",
  per_connection_buffer_limit_bytes: "accepted",
  cleanup_interval: "accepted",
  dns_lookup_family: "accepted",
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

/** Reads a cluster. Pure. Throws a `ConfigError` on whatever would not be honoured. */
export function readCluster(cluster: Cluster, path: string, checkers: HealthCheckers): ClusterConfig {
  refuseOthers(ClusterSchema, cluster, path, clusterRules);
  const balancing = {
    ...readBalancing(cluster, path),
    maxSessions: readMaxSessions(cluster.circuitBreakers, at(path, "circuit_breakers")),
  };
  const common = {
    name: cluster.name,
    balancing,
    healthChecks: cluster.healthChecks.map((check, index) =>
      readHealthCheck(check, at(path, `health_checks[${index}]`), checkers),
    ),
    outliers: readOutlierDetection(cluster.outlierDetection, at(path, "outlier_detection")),
    drainLingerMs: readDrainLinger(cluster.metadata, at(path, "metadata")),
  };
  const discovery = cluster.clusterDiscoveryType;
  switch (discovery.case === "clusterType" ? undefined : (discovery.value ?? Cluster_DiscoveryType.STATIC)) {
    case Cluster_DiscoveryType.STATIC:
      return { ...common, endpoints: readStatic(cluster, path) };
    case Cluster_DiscoveryType.EDS:
      return { ...common, endpoints: readEds(cluster, path) };
    default:
      return refuse("MSM_CLUSTER_DISCOVERY", at(path, "type"), "must be EDS or STATIC");
  }
}

function readStatic(cluster: Cluster, path: string): ClusterConfig["endpoints"] {
  const assignmentPath = at(path, "load_assignment");
  if (cluster.loadAssignment === undefined) {
    refuse("MSM_CONFIG_MISSING", assignmentPath, "is needed for type STATIC");
  }
  if (cluster.edsClusterConfig !== undefined) {
    const problem = "is only for type EDS; remove it or set type: EDS";
    refuse("MSM_CONFIG_UNSUPPORTED_FIELD", at(path, "eds_cluster_config"), problem);
  }
  return { kind: "static", assignment: readLoadAssignment(cluster.loadAssignment, assignmentPath) };
}

function readEds(cluster: Cluster, path: string): ClusterConfig["endpoints"] {
  if (cluster.loadAssignment !== undefined) {
    const problem = "is only for type STATIC; remove it or set type: STATIC";
    refuse("MSM_CONFIG_UNSUPPORTED_FIELD", at(path, "load_assignment"), problem);
  }
  const edsPath = at(path, "eds_cluster_config");
  const eds = cluster.edsClusterConfig;
  if (eds === undefined) refuse("MSM_CONFIG_MISSING", edsPath, "is needed for type EDS");
  refuseOthers(Cluster_EdsClusterConfigSchema, eds, edsPath, {
    eds_config: "accepted",
    service_name: "accepted",
  });
  checkAwaitedSource(eds.edsConfig, at(edsPath, "eds_config"));
  return { kind: "eds", serviceName: eds.serviceName === "" ? cluster.name : eds.serviceName };
}

/** Envoy's `max_connections`: sessions. The other limits concern requests and connections, which datagrams have not. */
function readMaxSessions(breakers: CircuitBreakers | undefined, path: string): number {
  if (breakers === undefined) return defaultBalancing.maxSessions;
  refuseOthers(CircuitBreakersSchema, breakers, path, { thresholds: "accepted" });
  breakers.thresholds.forEach((thresholds, index) => {
    const field = `${at(path, "thresholds")}[${index}]`;
    refuseOthers(CircuitBreakers_ThresholdsSchema, thresholds, field, thresholdRules);
  });
  return breakers.thresholds[0]?.maxConnections ?? defaultBalancing.maxSessions;
}
