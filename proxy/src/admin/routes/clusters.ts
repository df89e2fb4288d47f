// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { ClustersSchema } from "@msm/xds-protos/envoy/admin/v3/clusters_pb.js";
import { clusterStatuses, clustersMessage, clustersText } from "../cluster-status.ts";
import { protoJson } from "../proto-json.ts";
import type { AdminRoute } from "../route.ts";

/** The clusters with their endpoints, those that take no sessions included. */
export const route: AdminRoute = {
  path: "/clusters",
  method: "GET",
  summary: "Clusters and their endpoints; ?format=json.",
  handle: ({ query, context }) => {
    const statuses = clusterStatuses(context.store, context.datapath()?.endpoints());
    if (query.get("format") === "json") return protoJson(ClustersSchema, clustersMessage(statuses));
    return { body: clustersText(statuses) };
  },
};
