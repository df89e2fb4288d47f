// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { HealthStatus } from "@msm/xds-protos/envoy/config/core/v3/health_check_pb.js";
import {
  EndpointSchema,
  type LbEndpoint,
  LbEndpointSchema,
  type LocalityLbEndpoints,
  LocalityLbEndpointsSchema,
} from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_components_pb.js";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignment_PolicySchema,
  ClusterLoadAssignmentSchema,
} from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import type { EndpointPlan } from "../plan.ts";
import { formatAddress, readAddress } from "./read-address.ts";
import { at, refuse, refuseOthers } from "./refuse.ts";

/** An endpoint as configured. */
export interface EndpointConfig extends EndpointPlan {
  readonly health: HealthStatus;
  readonly weight: number;
  readonly locality: { readonly region: string; readonly zone: string; readonly subZone: string };
}

/** The endpoints of a cluster. */
export interface LoadAssignment {
  readonly clusterName: string;
  /** All of them, for the admin interface. */
  readonly endpoints: readonly EndpointConfig[];
  /** Those that take new sessions: neither unhealthy nor draining. */
  readonly available: readonly EndpointPlan[];
}

const NO_LOCALITY = { region: "", zone: "", subZone: "" };

/** Reads the endpoints of a cluster. Pure. An address that is there twice counts once, as in Envoy. */
export function readLoadAssignment(assignment: ClusterLoadAssignment, path: string): LoadAssignment {
  refuseOthers(ClusterLoadAssignmentSchema, assignment, path, {
    cluster_name: "accepted",
    endpoints: "accepted",
    policy: "accepted",
  });
  if (assignment.policy !== undefined) {
    // Overprovisioning tells how to spill to other priorities, of which there are none.
    const rules = { overprovisioning_factor: "accepted", weighted_priority_health: "accepted" } as const;
    refuseOthers(ClusterLoadAssignment_PolicySchema, assignment.policy, at(path, "policy"), rules);
  }
  const byAddress = new Map<string, EndpointConfig>();
  assignment.endpoints.forEach((locality, index) => {
    for (const endpoint of readLocality(locality, `${at(path, "endpoints")}[${index}]`)) {
      byAddress.set(formatAddress(endpoint), endpoint);
    }
  });
  const endpoints = [...byAddress.values()];
  checkWeights(endpoints, at(path, "endpoints"));
  const available = endpoints.filter(takesSessions).map(({ address, port }) => ({ address, port }));
  return { clusterName: assignment.clusterName, endpoints, available };
}

/** DEGRADED endpoints serve; Envoy prefers others only by priority levels, of which there is one here. */
function takesSessions({ health }: EndpointConfig): boolean {
  return (
    health === HealthStatus.UNKNOWN || health === HealthStatus.HEALTHY || health === HealthStatus.DEGRADED
  );
}

function readLocality(locality: LocalityLbEndpoints, path: string): readonly EndpointConfig[] {
  refuseOthers(LocalityLbEndpointsSchema, locality, path, {
    locality: "accepted",
    metadata: "accepted",
    lb_endpoints: "accepted",
    load_balancer_endpoints: "accepted",
    // Weights of localities count only under a locality-weighted policy, which is refused with its cluster.
    load_balancing_weight: "accepted",
    priority: { only: 0, hint: "there is one level of priority, 0" },
  });
  const list = locality.lbConfig;
  const [endpoints, field] =
    list.case === "loadBalancerEndpoints"
      ? [list.value.lbEndpoints, "load_balancer_endpoints.lb_endpoints"]
      : [locality.lbEndpoints, "lb_endpoints"];
  const where = locality.locality;
  const place =
    where === undefined ? NO_LOCALITY : { region: where.region, zone: where.zone, subZone: where.subZone };
  return endpoints.map((endpoint, index) => ({
    ...readEndpoint(endpoint, `${at(path, field)}[${index}]`),
    locality: place,
  }));
}

function readEndpoint(endpoint: LbEndpoint, path: string): Omit<EndpointConfig, "locality"> {
  refuseOthers(LbEndpointSchema, endpoint, path, {
    endpoint: "accepted",
    health_status: "accepted",
    metadata: "accepted",
    load_balancing_weight: "accepted",
  });
  const host = endpoint.hostIdentifier;
  const hostPath = at(path, "endpoint");
  if (host.case !== "endpoint") refuse("MSM_CONFIG_MISSING", hostPath, "is needed");
  refuseOthers(EndpointSchema, host.value, hostPath, {
    address: "accepted",
    hostname: "accepted",
    // Says where to check health; clusters with active checks are refused.
    health_check_config: "accepted",
  });
  const { address, port } = readAddress(host.value.address, at(hostPath, "address"));
  if (port === 0) {
    refuse("MSM_CONFIG_ADDRESS", at(hostPath, "address.socket_address.port_value"), "must not be 0");
  }
  return { address, port, health: endpoint.healthStatus, weight: endpoint.loadBalancingWeight ?? 1 };
}

function checkWeights(endpoints: readonly EndpointConfig[], path: string): void {
  if (endpoints.some(({ weight }) => weight !== endpoints[0]?.weight)) {
    const problem = "have different load_balancing_weight; give all endpoints of the cluster the same";
    refuse("MSM_CLUSTER_WEIGHTS", path, problem);
  }
}
