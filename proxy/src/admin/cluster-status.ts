// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { OutlierRates } from "../cluster/outlier-rates.ts";
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
  /** The success rates of its endpoints, where outlier detection looks. */
  readonly rates: OutlierRates | undefined;
}

/** The clusters in force. One whose endpoints did not come yet has none. */
export function clusterStatuses(
  { tables }: Pick<ConfigStore, "tables">,
  live: readonly LiveEndpoint[] = [],
  ratesOf: (cluster: string) => OutlierRates | undefined = () => undefined,
): readonly ClusterStatus[] {
  const byCluster = new Map<string, Map<string, LiveEndpoint>>();
  for (const endpoint of live) {
    const known = byCluster.get(endpoint.cluster) ?? new Map<string, LiveEndpoint>();
    byCluster.set(endpoint.cluster, known.set(formatAddress(endpoint.plan), endpoint));
  }
  return tables.cluster.accepted().map((resource) => {
    const { endpoints } = resource.value;
    const own = byCluster.get(resource.name) ?? new Map<string, LiveEndpoint>();
    const common = { resource, live: own, rates: ratesOf(resource.name) };
    if (endpoints.kind === "static") {
      return { ...common, edsServiceName: "", endpoints: endpoints.assignment.endpoints };
    }
    if (endpoints.kind === "dns") {
      const found = foundEndpoints(endpoints.assignment.endpoints, own.values());
      return { ...common, edsServiceName: "", endpoints: found };
    }
    const { serviceName } = endpoints;
    const assignment = tables.clusterLoadAssignment.get(serviceName);
    const listed = assignment?.value.endpoints ?? [];
    return { ...common, edsServiceName: serviceName, endpoints: listed };
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

/** As Envoy writes a limit that there is not: the largest number of 32 bits. */
export const NO_LIMIT = 2 ** 32 - 1;

/** An endpoint's counts by Envoy's names: a result that a filter reports is a request that is over. */
export function countsOf(live: LiveEndpoint | undefined) {
  const { successes = 0, serverErrors = 0, connectFailures = 0, errors = 0 } = live ?? {};
  return {
    cx_active: live?.sessionsActive ?? 0,
    cx_connect_fail: errors + connectFailures,
    cx_total: live?.sessionsTotal ?? 0,
    rq_active: 0,
    rq_error: serverErrors + connectFailures,
    rq_pending_active: 0,
    rq_success: successes,
    rq_timeout: 0,
    rq_total: successes + serverErrors + connectFailures,
  };
}
