// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { ClustersSchema } from "@msm/xds-protos/envoy/admin/v3/clusters_pb.js";
import { clusterStatuses } from "../cluster-status.ts";
import { clustersMessage } from "../clusters-message.ts";
import { clustersText } from "../clusters-text.ts";
import { protoJson } from "../proto-json.ts";
import type { AdminRoute } from "../route.ts";

/** The clusters with their endpoints, those that take no sessions included. */
export const route: AdminRoute = {
  path: "/clusters",
  method: "GET",
  summary: "Clusters and their endpoints; ?format=json.",
  handle: ({ query, context }) => {
    const live = context.datapath()?.endpoints();
    const statuses = clusterStatuses(context.store, live, (cluster) => context.rates?.(cluster));
    if (query.get("format") === "json") return protoJson(ClustersSchema, clustersMessage(statuses));
    return { body: clustersText(statuses) };
  },
};
