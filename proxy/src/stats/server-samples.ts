// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { ServerInfo_State } from "@msm/xds-protos/envoy/admin/v3/server_info_pb.js";
import { type ClusterStatus, clusterStatuses } from "../admin/cluster-status.ts";
import type { AdminContext } from "../admin/route.ts";
import type { EndpointHealth } from "../cluster/load-balancer.ts";
import { gaugeSample } from "./registry.ts";
import type { Sample } from "./sample.ts";

type Server = Pick<AdminContext, "store" | "state" | "startedAt" | "datapath">;

/** Gauges of the whole server that are computed when asked for, by Envoy's names. */
export function serverSamples({ store, state, startedAt, datapath }: Server): readonly Sample[] {
  const clusters = clusterStatuses(store, datapath()?.endpoints());
  const declared = store.tables.cluster.accepted().length;
  const inPlan = store.built.plan.clusters.length;
  const gauge = (name: string, help: string, value: number) => gaugeSample({ name, help }, value);
  return [
    gauge("server.state", "0 live, 1 draining, 2 pre-initializing, 3 initializing", state.value),
    gauge("server.live", "1 while the server is live", state.value === ServerInfo_State.LIVE ? 1 : 0),
    gauge("server.uptime", "Seconds since the start", Math.floor((Date.now() - startedAt.getTime()) / 1000)),
    gauge("server.concurrency", "Datapath workers", datapath()?.concurrency ?? 0),
    gauge("server.memory_allocated", "Bytes of the heap in use", process.memoryUsage().heapUsed),
    gauge("listener_manager.workers_started", "1 once the datapath runs", datapath() === undefined ? 0 : 1),
    gauge("listener_manager.total_listeners_active", "Open listeners", datapath()?.listeners().length ?? 0),
    gauge("listener_manager.total_listeners_warming", "Listeners that wait", store.built.warming.size),
    gauge("cluster_manager.active_clusters", "Clusters whose endpoints are known", inPlan),
    gauge("cluster_manager.warming_clusters", "Clusters that wait", Math.max(0, declared - inPlan)),
    ...clusters.flatMap(membership),
  ];
}

function membership({ resource: { name }, endpoints, live }: ClusterStatus): readonly Sample[] {
  const labels = { envoy_cluster_name: name };
  const gauge = (stat: string, help: string, value: number) =>
    gaugeSample({ name: `cluster.${stat}`, dottedName: `cluster.${name}.${stat}`, help, labels }, value);
  const own = (metric: string, help: string, value: number, more: Readonly<Record<string, string>>) =>
    gaugeSample({ name: metric, help, labels: { cluster: name, ...more } }, value);
  const planned = [...live.values()].map(({ plan }) => plan);
  const count = (health: EndpointHealth) => planned.filter((plan) => plan.health === health).length;
  const failed = (reason: "ACTIVE_CHECK" | "OUTLIER") =>
    planned.filter((plan) => plan.failed === reason).length;
  return [
    gauge("membership_total", "Endpoints", endpoints.length),
    gauge("membership_healthy", "Endpoints that are healthy", count("HEALTHY")),
    gauge("membership_degraded", "Endpoints that EDS calls degraded", count("DEGRADED")),
    own("msm_cluster_endpoints", "Endpoints by health", count("UNHEALTHY"), { health: "unhealthy" }),
    own("msm_cluster_endpoints", "Endpoints by health", count("DRAINING"), { health: "draining" }),
    own("msm_cluster_endpoints", "Endpoints by health", count("LEFT"), { health: "left" }),
    own("msm_cluster_endpoints_failed", "Endpoints out by reason", failed("ACTIVE_CHECK"), {
      reason: "active_check",
    }),
    own("msm_cluster_endpoints_failed", "Endpoints out by reason", failed("OUTLIER"), { reason: "outlier" }),
  ];
}
