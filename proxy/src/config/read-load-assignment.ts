// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { HealthStatus } from "@msm/xds-protos/envoy/config/core/v3/health_check_pb.js";
import {
  type Endpoint,
  Endpoint_HealthCheckConfigSchema,
  EndpointSchema,
  type LbEndpoint,
  LbEndpointSchema,
  type LocalityLbEndpoints,
  LocalityLbEndpointsSchema,
} from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_components_pb.js";
import {
  type ClusterLoadAssignment,
  type ClusterLoadAssignment_Policy,
  ClusterLoadAssignment_PolicySchema,
  ClusterLoadAssignmentSchema,
} from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import { defaultBalancing } from "../cluster/balancing-plan.ts";
import type { EndpointHealth } from "../cluster/load-balancer.ts";
import type { LbMetadata } from "../cluster/subset-plan.ts";
import type { EndpointPlan, SocketAddress } from "../plan.ts";
import { formatAddress, type Host, readAddress } from "./read-address.ts";
import { readLbMetadata } from "./read-lb-metadata.ts";
import { at, type FieldRule, onlyFalse, refuse, refuseOthers } from "./refuse.ts";

/** An endpoint as configured. */
export interface EndpointConfig extends SocketAddress {
  readonly health: HealthStatus;
  readonly weight: number;
  readonly priority: number;
  /** Where and as whom it is checked, where it says so. */
  readonly check: EndpointPlan["check"];
  /** What sorts it into subsets. */
  readonly metadata: LbMetadata;
  /** The name by which it was found, where it was by DNS. */
  readonly hostname?: string;
  readonly locality: { readonly region: string; readonly zone: string; readonly subZone: string };
}

/** The endpoints of a cluster. */
export interface LoadAssignment {
  readonly clusterName: string;
  /** As EDS has them, for the admin interface. */
  readonly endpoints: readonly EndpointConfig[];
  /** The same as the datapath has them. */
  readonly planned: readonly EndpointPlan[];
  /** Percent; see `BalancingPlan`. */
  readonly overprovisioningFactor: number;
}

/** What is said of each field of `LocalityLbEndpoints`; any other is refused. */
export const localityRules: Readonly<Record<string, FieldRule>> = {
  locality: "accepted",
  metadata: "accepted",
  lb_endpoints: "accepted",
  load_balancer_endpoints: "accepted",
  // Counts only under a locality-weighted policy.
  load_balancing_weight: "accepted",
  priority: "accepted",
};

/** The same of `LbEndpoint`. */
export const endpointRules: Readonly<Record<string, FieldRule>> = {
  endpoint: "accepted",
  health_status: "accepted",
  metadata: "accepted",
  load_balancing_weight: "accepted",
};

/** The same of `ClusterLoadAssignment`. */
export const assignmentRules: Readonly<Record<string, FieldRule>> = {
  cluster_name: "accepted",
  endpoints: "accepted",
  policy: "accepted",
};

/** The same of `ClusterLoadAssignment.Policy`. */
export const assignmentPolicyRules: Readonly<Record<string, FieldRule>> = {
  overprovisioning_factor: "accepted",
  weighted_priority_health: onlyFalse,
};

/** The same of `Endpoint`. */
export const hostRules: Readonly<Record<string, FieldRule>> = {
  address: "accepted",
  hostname: "accepted",
  health_check_config: "accepted",
};

/** The same of `Endpoint.HealthCheckConfig`. */
export const endpointCheckRules: Readonly<Record<string, FieldRule>> = {
  port_value: "accepted",
  hostname: "accepted",
  address: "accepted",
  disable_active_health_check: "accepted",
};

const NO_LOCALITY = { region: "", zone: "", subZone: "" };

/** The assignment of a cluster that nobody gave endpoints. */
export function emptyAssignment(clusterName: string): LoadAssignment {
  const { overprovisioningFactor } = defaultBalancing;
  return { clusterName, endpoints: [], planned: [], overprovisioningFactor };
}

/**
 * Reads the endpoints of a cluster, which have addresses unless `hosts` lets them have names. Pure. An address that is
 * there twice counts once, as in Envoy.
 */
export function readLoadAssignment(
  assignment: ClusterLoadAssignment,
  path: string,
  hosts: Host = "addresses",
): LoadAssignment {
  refuseOthers(ClusterLoadAssignmentSchema, assignment, path, assignmentRules);
  const byAddress = new Map<string, { readonly config: EndpointConfig; readonly plan: EndpointPlan }>();
  assignment.endpoints.forEach((locality, index) => {
    for (const config of readLocality(locality, `${at(path, "endpoints")}[${index}]`, hosts)) {
      const plan = planOf(config, index, locality.loadBalancingWeight ?? 0);
      byAddress.set(formatAddress(config), { config, plan });
    }
  });
  const endpoints = [...byAddress.values()];
  return {
    clusterName: assignment.clusterName,
    endpoints: endpoints.map(({ config }) => config),
    planned: endpoints.map(({ plan }) => plan),
    overprovisioningFactor: readOverprovisioning(assignment.policy, at(path, "policy")),
  };
}

function readOverprovisioning(policy: ClusterLoadAssignment_Policy | undefined, path: string): number {
  if (policy === undefined) return defaultBalancing.overprovisioningFactor;
  refuseOthers(ClusterLoadAssignment_PolicySchema, policy, path, assignmentPolicyRules);
  return policy.overprovisioningFactor ?? defaultBalancing.overprovisioningFactor;
}

/** A locality without weight gets no sessions where localities are weighted, as in Envoy. */
function planOf(config: EndpointConfig, locality: number, localityWeight: number): EndpointPlan {
  const { address, port, weight, priority, check, metadata } = config;
  const health = healthOf(config.health);
  return {
    ...{ address, port, health, weight, priority, locality, localityWeight },
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
    ...(check === undefined ? {} : { check }),
  };
}

/** What the words of EDS mean for new sessions. */
export function healthOf(status: HealthStatus): EndpointHealth {
  switch (status) {
    case HealthStatus.UNKNOWN:
    case HealthStatus.HEALTHY:
      return "HEALTHY";
    case HealthStatus.DEGRADED:
      return "DEGRADED";
    case HealthStatus.DRAINING:
      return "DRAINING";
    case HealthStatus.UNHEALTHY:
    case HealthStatus.TIMEOUT:
      return "UNHEALTHY";
  }
}

function readLocality(locality: LocalityLbEndpoints, path: string, hosts: Host): readonly EndpointConfig[] {
  refuseOthers(LocalityLbEndpointsSchema, locality, path, localityRules);
  const list = locality.lbConfig;
  const [endpoints, field] =
    list.case === "loadBalancerEndpoints"
      ? [list.value.lbEndpoints, "load_balancer_endpoints.lb_endpoints"]
      : [locality.lbEndpoints, "lb_endpoints"];
  const where = locality.locality;
  const place =
    where === undefined ? NO_LOCALITY : { region: where.region, zone: where.zone, subZone: where.subZone };
  return endpoints.map((endpoint, index) => ({
    ...readEndpoint(endpoint, `${at(path, field)}[${index}]`, hosts),
    priority: locality.priority,
    locality: place,
  }));
}

function readEndpoint(
  endpoint: LbEndpoint,
  path: string,
  hosts: Host,
): Omit<EndpointConfig, "locality" | "priority"> {
  refuseOthers(LbEndpointSchema, endpoint, path, endpointRules);
  const host = endpoint.hostIdentifier;
  const hostPath = at(path, "endpoint");
  if (host.case !== "endpoint") refuse("MSM_CONFIG_MISSING", hostPath, "is needed");
  refuseOthers(EndpointSchema, host.value, hostPath, hostRules);
  const { address, port } = readAddress(host.value.address, at(hostPath, "address"), hosts);
  if (port === 0) {
    refuse("MSM_CONFIG_ADDRESS", at(hostPath, "address.socket_address.port_value"), "must not be 0");
  }
  return {
    ...{ address, port, health: endpoint.healthStatus, weight: endpoint.loadBalancingWeight ?? 1 },
    check: readCheckTarget(host.value, { address, port }, hostPath),
    metadata: readLbMetadata(endpoint.metadata),
  };
}

function readCheckTarget(
  endpoint: Endpoint,
  own: SocketAddress,
  endpointPath: string,
): EndpointPlan["check"] {
  const config = endpoint.healthCheckConfig;
  if (config === undefined) {
    return endpoint.hostname === "" ? undefined : { ...own, hostname: endpoint.hostname, isDisabled: false };
  }
  const path = at(endpointPath, "health_check_config");
  refuseOthers(Endpoint_HealthCheckConfigSchema, config, path, endpointCheckRules);
  const asked = config.address === undefined ? own : readAddress(config.address, at(path, "address"));
  return {
    address: asked.address,
    port: config.portValue === 0 ? asked.port : config.portValue,
    hostname: config.hostname === "" ? endpoint.hostname : config.hostname,
    isDisabled: config.disableActiveHealthCheck,
  };
}
