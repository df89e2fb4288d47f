// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { create } from "@msm/xds-protos";
import { type Clusters, ClustersSchema } from "@msm/xds-protos/envoy/admin/v3/clusters_pb.js";
import { SimpleMetric_Type } from "@msm/xds-protos/envoy/admin/v3/metrics_pb.js";
import { RoutingPriority } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import { HealthStatus } from "@msm/xds-protos/envoy/config/core/v3/health_check_pb.js";
import { type BalancingPlan, defaultBalancing } from "../cluster/balancing-plan.ts";
import { endpointKey } from "../cluster/lingering.ts";
import type { OutlierRates } from "../cluster/outlier-rates.ts";
import { formatAddress } from "../config/read-address.ts";
import type { ClusterConfig } from "../config/read-cluster.ts";
import type { EndpointConfig } from "../config/read-load-assignment.ts";
import type { LiveEndpoint } from "../datapath/datapath.ts";
import { type ClusterStatus, countsOf, NO_LIMIT } from "./cluster-status.ts";

type Limits = Pick<BalancingPlan, "maxSessions" | "maxPending">;

/** The clusters as Envoy's message. */
export function clustersMessage(statuses: readonly ClusterStatus[]): Clusters {
  return create(ClustersSchema, {
    clusterStatuses: statuses.map(({ resource, edsServiceName, endpoints, live, rates }) => ({
      name: resource.name,
      observabilityName: resource.name,
      addedViaApi: !resource.isStatic,
      edsServiceName,
      ...thresholds(rates),
      circuitBreakers: circuitBreakers(resource.value),
      hostStatuses: endpoints.map((endpoint) =>
        hostStatus(endpoint, live.get(formatAddress(endpoint)), rates),
      ),
    })),
  });
}

function thresholds(rates: OutlierRates | undefined) {
  const [external, local] = [rates?.latest("external"), rates?.latest("local")];
  return {
    ...(external && { successRateEjectionThreshold: { value: external.threshold } }),
    ...(local && { localOriginSuccessRateEjectionThreshold: { value: local.threshold } }),
  };
}

function circuitBreakers({ balancing }: ClusterConfig) {
  const limits = ({ maxSessions, maxPending }: Limits) => ({
    maxConnections: Math.min(maxSessions, NO_LIMIT),
    maxPendingRequests: Math.min(maxPending, NO_LIMIT),
    ...{ maxRequests: NO_LIMIT, maxRetries: NO_LIMIT },
  });
  return {
    thresholds: [limits(balancing), { ...limits(defaultBalancing), priority: RoutingPriority.HIGH }],
  };
}

function hostStatus(
  endpoint: EndpointConfig,
  live: LiveEndpoint | undefined,
  rates: OutlierRates | undefined,
) {
  const rateOf = (origin: "external" | "local") => rates?.latest(origin)?.byKey.get(endpointKey(endpoint));
  const [external, local] = [rateOf("external"), rateOf("local")];
  return {
    address: socketAddress(endpoint),
    ...(external === undefined ? {} : { successRate: { value: external } }),
    ...(local === undefined ? {} : { localOriginSuccessRate: { value: local } }),
    stats: Object.entries(countsOf(live)).map(([name, value]) => ({
      ...{ name, value: BigInt(value) },
      type: isGauge(name) ? SimpleMetric_Type.GAUGE : SimpleMetric_Type.COUNTER,
    })),
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

function isGauge(name: string): boolean {
  return name.endsWith("_active");
}
