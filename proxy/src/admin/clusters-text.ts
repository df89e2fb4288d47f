// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { HealthStatus } from "@msm/xds-protos/envoy/config/core/v3/health_check_pb.js";
import { type BalancingPlan, defaultBalancing } from "../cluster/balancing-plan.ts";
import { endpointKey } from "../cluster/lingering.ts";
import type { OutlierRates } from "../cluster/outlier-rates.ts";
import { formatAddress } from "../config/read-address.ts";
import type { ClusterConfig } from "../config/read-cluster.ts";
import type { EndpointConfig } from "../config/read-load-assignment.ts";
import type { LiveEndpoint } from "../datapath/datapath.ts";
import { type ClusterStatus, countsOf, NO_LIMIT } from "./cluster-status.ts";

/** As Envoy writes a rate that is not known. */
const NO_RATE = -1;

/** Envoy's text form: `cluster::key::value` and `cluster::address::key::value`. */
export function clustersText(statuses: readonly ClusterStatus[]): string {
  const lines = statuses.flatMap(({ resource, edsServiceName, endpoints, live, rates }) => {
    const { name, isStatic } = resource;
    return [
      `${name}::observability_name::${name}`,
      ...(rates === undefined ? [] : rateLines(`${name}::outlier`, rates)),
      ...limitLines(name, resource.value),
      `${name}::added_via_api::${!isStatic}`,
      ...(edsServiceName === "" ? [] : [`${name}::eds_service_name::${edsServiceName}`]),
      ...endpoints.flatMap((endpoint) => {
        const address = formatAddress(endpoint);
        return endpointLines(`${name}::${address}`, endpoint, live.get(address), rates);
      }),
    ];
  });
  return lines.map((line) => `${line}\n`).join("");
}

type Limits = Pick<BalancingPlan, "maxSessions" | "maxPending">;

/** All sessions have the default priority. */
function limitLines(name: string, { balancing }: ClusterConfig): readonly string[] {
  const lines = (priority: string, { maxSessions, maxPending }: Limits): readonly string[] => [
    `${name}::${priority}_priority::max_connections::${Math.min(maxSessions, NO_LIMIT)}`,
    `${name}::${priority}_priority::max_pending_requests::${Math.min(maxPending, NO_LIMIT)}`,
    `${name}::${priority}_priority::max_requests::${NO_LIMIT}`,
    `${name}::${priority}_priority::max_retries::${NO_LIMIT}`,
  ];
  return [...lines("default", balancing), ...lines("high", defaultBalancing)];
}

function rateLines(prefix: string, rates: OutlierRates): readonly string[] {
  const [external, local] = [rates.latest("external"), rates.latest("local")];
  return [
    `${prefix}::success_rate_average::${external?.average ?? NO_RATE}`,
    `${prefix}::success_rate_ejection_threshold::${external?.threshold ?? NO_RATE}`,
    `${prefix}::local_origin_success_rate_average::${local?.average ?? NO_RATE}`,
    `${prefix}::local_origin_success_rate_ejection_threshold::${local?.threshold ?? NO_RATE}`,
  ];
}

function endpointLines(
  prefix: string,
  endpoint: EndpointConfig,
  live: LiveEndpoint | undefined,
  rates: OutlierRates | undefined,
): readonly string[] {
  const { health, weight, priority, locality, hostname = "", metadata } = endpoint;
  const rateOf = (origin: "external" | "local") =>
    rates?.latest(origin)?.byKey.get(endpointKey(endpoint)) ?? NO_RATE;
  return [
    ...Object.entries(countsOf(live)).map(([name, count]) => `${prefix}::${name}::${count}`),
    `${prefix}::hostname::${hostname}`,
    `${prefix}::health_flags::${healthFlags(health, live)}`,
    `${prefix}::weight::${weight}`,
    `${prefix}::region::${locality.region}`,
    `${prefix}::zone::${locality.zone}`,
    `${prefix}::sub_zone::${locality.subZone}`,
    `${prefix}::canary::${metadata.canary === "true"}`,
    `${prefix}::priority::${priority}`,
    `${prefix}::success_rate::${rateOf("external")}`,
    `${prefix}::local_origin_success_rate::${rateOf("local")}`,
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
