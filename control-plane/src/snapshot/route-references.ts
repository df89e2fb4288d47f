// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { typeUrls } from "@msm/xds-protos";
import type { RouteConfiguration } from "@msm/xds-protos/envoy/config/route/v3/route_pb.js";
import type { ResourceReference } from "./references.ts";

/** The clusters that a route configuration names, each once; clusters chosen by a header are not known. */
export function routeReferences({ virtualHosts }: RouteConfiguration): ResourceReference[] {
  const names = new Set<string>();
  for (const { action } of virtualHosts.flatMap(({ routes }) => routes)) {
    if (action.case !== "route") continue;
    const { clusterSpecifier } = action.value;
    if (clusterSpecifier.case === "cluster") names.add(clusterSpecifier.value);
    if (clusterSpecifier.case !== "weightedClusters") continue;
    for (const { name } of clusterSpecifier.value.clusters) names.add(name);
  }
  names.delete("");
  return [...names].map((name) => ({ typeUrl: typeUrls.cluster, name }));
}
