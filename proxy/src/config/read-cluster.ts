// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import {
  type Cluster,
  type Cluster_CommonLbConfig,
  Cluster_CommonLbConfigSchema,
  Cluster_DiscoveryType,
  Cluster_EdsClusterConfigSchema,
  Cluster_LbPolicy,
  ClusterSchema,
} from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { checkAwaitedSource } from "./read-config-source.ts";
import { type LoadAssignment, readLoadAssignment } from "./read-load-assignment.ts";
import { at, type FieldRule, onlyFalse, refuse, refuseOthers } from "./refuse.ts";

/** A cluster as configured: with its endpoints, or with the name by which EDS has them. */
export interface ClusterConfig {
  readonly name: string;
  readonly endpoints:
    | { readonly kind: "static"; readonly assignment: LoadAssignment }
    | { readonly kind: "eds"; readonly serviceName: string };
}

const CLUSTER_RULES: Readonly<Record<string, FieldRule>> = {
  name: "accepted",
  type: "accepted",
  eds_cluster_config: "accepted",
  load_assignment: "accepted",
  lb_policy: "accepted",
  common_lb_config: "accepted",
  close_connections_on_host_health_failure: onlyFalse,
  // These describe a cluster, or concern connections, health checks or DNS, which these clusters do not have.
  alt_stat_name: "accepted",
  metadata: "accepted",
  connect_timeout: "accepted",
  per_connection_buffer_limit_bytes: "accepted",
  cleanup_interval: "accepted",
  dns_lookup_family: "accepted",
  ignore_health_on_host_removal: "accepted",
  wait_for_warm_on_init: "accepted",
};

/** Reads a cluster. Pure. Throws a `ConfigError` on whatever would not be honoured. */
export function readCluster(cluster: Cluster, path: string): ClusterConfig {
  if (cluster.lbPolicy !== Cluster_LbPolicy.ROUND_ROBIN) {
    refuse("MSM_CLUSTER_LB_POLICY", at(path, "lb_policy"), "must be ROUND_ROBIN");
  }
  if (cluster.loadBalancingPolicy !== undefined) {
    const problem = "is not supported; use lb_policy: ROUND_ROBIN instead";
    refuse("MSM_CLUSTER_LB_POLICY", at(path, "load_balancing_policy"), problem);
  }
  refuseOthers(ClusterSchema, cluster, path, CLUSTER_RULES);
  checkCommonLbConfig(cluster.commonLbConfig, at(path, "common_lb_config"));
  const discovery = cluster.clusterDiscoveryType;
  switch (discovery.case === "clusterType" ? undefined : (discovery.value ?? Cluster_DiscoveryType.STATIC)) {
    case Cluster_DiscoveryType.STATIC:
      return { name: cluster.name, endpoints: readStatic(cluster, path) };
    case Cluster_DiscoveryType.EDS:
      return { name: cluster.name, endpoints: readEds(cluster, path) };
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

function checkCommonLbConfig(config: Cluster_CommonLbConfig | undefined, path: string): void {
  if (config === undefined) return;
  refuseOthers(Cluster_CommonLbConfigSchema, config, path, {
    close_connections_on_host_set_change: onlyFalse,
    ignore_new_hosts_until_first_hc: "accepted",
    update_merge_window: "accepted",
    healthy_panic_threshold: "accepted",
  });
  const panic = config.healthyPanicThreshold;
  if (panic !== undefined && panic.value !== 0) {
    const problem = "must be 0: endpoints that are not healthy never get new sessions here";
    refuse("MSM_CONFIG_UNSUPPORTED_VALUE", at(path, "healthy_panic_threshold"), problem);
  }
}
