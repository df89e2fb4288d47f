// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { ServerInfo_State } from "@msm/xds-protos/envoy/admin/v3/server_info_pb.js";
import { daysUntilFirstExpires } from "../admin/certificates.ts";
import type { AdminContext } from "../admin/route.ts";
import { membershipSamples } from "./membership.ts";
import { gaugeSample } from "./registry.ts";
import type { Sample } from "./sample.ts";

type Server = Pick<AdminContext, "store" | "state" | "startedAt" | "datapath">;

/** Gauges of the whole server that are computed when asked for, by Envoy's names. */
export function serverSamples({ store, state, startedAt, datapath }: Server): readonly Sample[] {
  const clusters = store.tables.cluster.accepted();
  const members = datapath()?.members();
  const inPlan = store.built.plan.clusters.length;
  const gauge = (name: string, help: string, value: number) => gaugeSample({ name, help }, value);
  const expiring = daysUntilFirstExpires(store.built.plan, Date.now());
  return [
    gauge("server.state", "0 live, 1 draining, 2 pre-initializing, 3 initializing", state.value),
    gauge("server.live", "1 while the server is live", state.value === ServerInfo_State.LIVE ? 1 : 0),
    gauge("server.uptime", "Seconds since the start", Math.floor((Date.now() - startedAt.getTime()) / 1000)),
    gauge("server.concurrency", "Datapath workers", datapath()?.concurrency ?? 0),
    gauge("server.memory_allocated", "Bytes of the heap in use", process.memoryUsage().heapUsed),
    ...(expiring === undefined
      ? []
      : [
          gauge(
            "server.days_until_first_cert_expiring",
            "Days until a certificate in force expires",
            expiring,
          ),
        ]),
    gauge("listener_manager.workers_started", "1 once the datapath runs", datapath() === undefined ? 0 : 1),
    gauge("listener_manager.total_listeners_active", "Open listeners", datapath()?.listeners().length ?? 0),
    gauge("listener_manager.total_listeners_warming", "Listeners that wait", store.built.warming.size),
    gauge("cluster_manager.active_clusters", "Clusters whose endpoints are known", inPlan),
    gauge("cluster_manager.warming_clusters", "Clusters that wait", Math.max(0, clusters.length - inPlan)),
    ...clusters.flatMap(({ name }) => membershipSamples(name, members?.get(name) ?? [])),
  ];
}
