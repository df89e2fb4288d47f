// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { create } from "@msm/xds-protos";
import { type Clusters, ClustersSchema } from "@msm/xds-protos/envoy/admin/v3/clusters_pb.js";
import { SimpleMetric_Type } from "@msm/xds-protos/envoy/admin/v3/metrics_pb.js";
import { HealthStatus } from "@msm/xds-protos/envoy/config/core/v3/health_check_pb.js";
import { formatAddress } from "../config/read-address.ts";
import type { ClusterConfig } from "../config/read-cluster.ts";
import type { EndpointConfig } from "../config/read-load-assignment.ts";
import type { Accepted } from "../config/resource.ts";
import type { ConfigStore } from "../config/store.ts";
import type { LiveEndpoint } from "../datapath/datapath.ts";

/** A cluster with all its endpoints, as `/clusters` lists it. */
export interface ClusterStatus {
  readonly resource: Accepted<ClusterConfig>;
  /** Empty for a static cluster. */
  readonly edsServiceName: string;
  readonly endpoints: readonly EndpointConfig[];
  /** The same as the datapath has them, by `ip:port`, with those that linger; empty while it does not run. */
  readonly live: ReadonlyMap<string, LiveEndpoint>;
}

/** The clusters in force. One whose endpoints did not come yet has none. */
export function clusterStatuses(
  { tables }: Pick<ConfigStore, "tables">,
  live: readonly LiveEndpoint[] = [],
): readonly ClusterStatus[] {
  const byCluster = new Map<string, Map<string, LiveEndpoint>>();
  for (const endpoint of live) {
    const known = byCluster.get(endpoint.cluster) ?? new Map<string, LiveEndpoint>();
    byCluster.set(endpoint.cluster, known.set(formatAddress(endpoint.plan), endpoint));
  }
  return tables.cluster.accepted().map((resource) => {
    const { endpoints } = resource.value;
    const own = byCluster.get(resource.name) ?? new Map<string, LiveEndpoint>();
    if (endpoints.kind === "static") {
      return { resource, edsServiceName: "", endpoints: endpoints.assignment.endpoints, live: own };
    }
    if (endpoints.kind === "dns") {
      const found = foundEndpoints(endpoints.assignment.endpoints, own.values());
      return { resource, edsServiceName: "", endpoints: found, live: own };
    }
    const { serviceName } = endpoints;
    const assignment = tables.clusterLoadAssignment.get(serviceName);
    const listed = assignment?.value.endpoints ?? [];
    return { resource, edsServiceName: serviceName, endpoints: listed, live: own };
  });
}

/** What names came to: the endpoints that the datapath has, each as its name is configured. */
function foundEndpoints(
  named: readonly EndpointConfig[],
  live: Iterable<LiveEndpoint>,
): readonly EndpointConfig[] {
  return [...live].flatMap(({ plan }) => {
    if (plan.health === "LEFT") return [];
    const config = named.find(({ address, port }) => address === plan.hostname && port === plan.port);
    return config === undefined ? [] : [{ ...config, address: plan.address, hostname: config.address }];
  });
}

/** Envoy's text form: `cluster::key::value` and `cluster::address::key::value`. */
export function clustersText(statuses: readonly ClusterStatus[]): string {
  const lines = statuses.flatMap(({ resource, edsServiceName, endpoints, live }) => {
    const { name, isStatic } = resource;
    return [
      `${name}::observability_name::${name}`,
      `${name}::added_via_api::${!isStatic}`,
      ...(edsServiceName === "" ? [] : [`${name}::eds_service_name::${edsServiceName}`]),
      `${name}::default_priority::max_connections::${limit(resource.value)}`,
      ...endpoints.flatMap((endpoint) => {
        const address = formatAddress(endpoint);
        return endpointLines(`${name}::${address}`, endpoint, live.get(address));
      }),
    ];
  });
  return lines.map((line) => `${line}\n`).join("");
}

/** As Envoy writes a limit that there is not: the largest number of 32 bits. */
function limit({ balancing: { maxSessions } }: ClusterConfig): number {
  return Math.min(maxSessions, 2 ** 32 - 1);
}

function endpointLines(
  prefix: string,
  { health, weight, priority, locality, hostname = "" }: EndpointConfig,
  live: LiveEndpoint | undefined,
): readonly string[] {
  return [
    `${prefix}::cx_active::${live?.sessionsActive ?? 0}`,
    `${prefix}::cx_connect_fail::${live?.errors ?? 0}`,
    `${prefix}::cx_total::${live?.sessionsTotal ?? 0}`,
    `${prefix}::hostname::${hostname}`,
    `${prefix}::health_flags::${healthFlags(health, live)}`,
    `${prefix}::weight::${weight}`,
    `${prefix}::region::${locality.region}`,
    `${prefix}::zone::${locality.zone}`,
    `${prefix}::sub_zone::${locality.subZone}`,
    `${prefix}::priority::${priority}`,
  ];
}

/** Envoy's words for what checks, errors and EDS say of an endpoint. */
function healthFlags(health: HealthStatus, live: LiveEndpoint | undefined): string {
  if (live?.plan.failed === "ACTIVE_CHECK") return "/failed_active_hc";
  if (live?.plan.failed === "OUTLIER") return "/failed_outlier_check";
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
    clusterStatuses: statuses.map(({ resource, edsServiceName, endpoints, live }) => ({
      name: resource.name,
      observabilityName: resource.name,
      addedViaApi: !resource.isStatic,
      edsServiceName,
      hostStatuses: endpoints.map((endpoint) => hostStatus(endpoint, live.get(formatAddress(endpoint)))),
    })),
  });
}

function hostStatus(endpoint: EndpointConfig, live: LiveEndpoint | undefined) {
  const stat = (name: string, value: number, type: SimpleMetric_Type) => ({
    name,
    value: BigInt(value),
    type,
  });
  return {
    address: socketAddress(endpoint),
    stats: [
      stat("cx_active", live?.sessionsActive ?? 0, SimpleMetric_Type.GAUGE),
      stat("cx_connect_fail", live?.errors ?? 0, SimpleMetric_Type.COUNTER),
      stat("cx_total", live?.sessionsTotal ?? 0, SimpleMetric_Type.COUNTER),
    ],
    healthStatus: {
      // UNKNOWN means that EDS said nothing against it.
      edsHealthStatus: endpoint.health === HealthStatus.UNKNOWN ? HealthStatus.HEALTHY : endpoint.health,
      failedActiveHealthCheck: live?.plan.failed === "ACTIVE_CHECK",
      failedOutlierCheck: live?.plan.failed === "OUTLIER",
    },
    weight: endpoint.weight,
    priority: endpoint.priority,
    hostname: endpoint.hostname ?? "",
    locality: endpoint.locality,
  };
}

function socketAddress({ address, port }: EndpointConfig) {
  const portSpecifier = { case: "portValue" as const, value: port };
  return { address: { case: "socketAddress" as const, value: { address, portSpecifier } } };
}
