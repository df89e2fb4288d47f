// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { create } from "@msm/xds-protos";
import { type Clusters, ClustersSchema } from "@msm/xds-protos/envoy/admin/v3/clusters_pb.js";
import { HealthStatus } from "@msm/xds-protos/envoy/config/core/v3/health_check_pb.js";
import { formatAddress } from "../config/read-address.ts";
import type { ClusterConfig } from "../config/read-cluster.ts";
import type { EndpointConfig } from "../config/read-load-assignment.ts";
import type { Accepted } from "../config/resource.ts";
import type { ConfigStore } from "../config/store.ts";

/** A cluster with all its endpoints, as `/clusters` lists it. */
export interface ClusterStatus {
  readonly resource: Accepted<ClusterConfig>;
  /** Empty for a static cluster. */
  readonly edsServiceName: string;
  readonly endpoints: readonly EndpointConfig[];
}

/** The clusters in force. One whose endpoints did not come yet has none. */
export function clusterStatuses({ tables }: Pick<ConfigStore, "tables">): readonly ClusterStatus[] {
  return tables.cluster.accepted().map((resource) => {
    const { endpoints } = resource.value;
    if (endpoints.kind === "static") {
      return { resource, edsServiceName: "", endpoints: endpoints.assignment.endpoints };
    }
    const { serviceName } = endpoints;
    const assignment = tables.clusterLoadAssignment.get(serviceName);
    return { resource, edsServiceName: serviceName, endpoints: assignment?.value.endpoints ?? [] };
  });
}

/** Envoy's text form: `cluster::key::value` and `cluster::address::key::value`. */
export function clustersText(statuses: readonly ClusterStatus[]): string {
  const lines = statuses.flatMap(({ resource, edsServiceName, endpoints }) => {
    const { name, isStatic } = resource;
    return [
      `${name}::observability_name::${name}`,
      `${name}::added_via_api::${!isStatic}`,
      ...(edsServiceName === "" ? [] : [`${name}::eds_service_name::${edsServiceName}`]),
      ...endpoints.flatMap((endpoint) => endpointLines(`${name}::${formatAddress(endpoint)}`, endpoint)),
    ];
  });
  return lines.map((line) => `${line}\n`).join("");
}

function endpointLines(prefix: string, { health, weight, locality }: EndpointConfig): readonly string[] {
  return [
    `${prefix}::health_flags::${healthFlags(health)}`,
    `${prefix}::weight::${weight}`,
    `${prefix}::region::${locality.region}`,
    `${prefix}::zone::${locality.zone}`,
    `${prefix}::sub_zone::${locality.subZone}`,
    `${prefix}::priority::0`,
  ];
}

/** Envoy's words for what EDS said of an endpoint. */
function healthFlags(health: HealthStatus): string {
  switch (health) {
    case HealthStatus.UNHEALTHY:
    case HealthStatus.TIMEOUT:
      return "/failed_eds_health";
    case HealthStatus.DRAINING:
      return "/eds_status_draining";
    case HealthStatus.DEGRADED:
      return "/degraded_eds_health";
    default:
      return "healthy";
  }
}

/** The same as Envoy's message. */
export function clustersMessage(statuses: readonly ClusterStatus[]): Clusters {
  return create(ClustersSchema, {
    clusterStatuses: statuses.map(({ resource, edsServiceName, endpoints }) => ({
      name: resource.name,
      observabilityName: resource.name,
      addedViaApi: !resource.isStatic,
      edsServiceName,
      hostStatuses: endpoints.map((endpoint) => ({
        address: socketAddress(endpoint),
        // UNKNOWN means that EDS said nothing against it.
        healthStatus: {
          edsHealthStatus: endpoint.health === HealthStatus.UNKNOWN ? HealthStatus.HEALTHY : endpoint.health,
        },
        weight: endpoint.weight,
        locality: endpoint.locality,
      })),
    })),
  });
}

function socketAddress({ address, port }: EndpointConfig) {
  const portSpecifier = { case: "portValue" as const, value: port };
  return { address: { case: "socketAddress" as const, value: { address, portSpecifier } } };
}
