// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { isIP } from "node:net";
import { ClusterSchema } from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import type { BackendPolicy } from "../model/backend-policy.ts";
import { translateCluster, translateNamedCluster } from "./cluster.ts";
import { type EndpointGroup, translateEndpoints } from "./cluster-load-assignment.ts";
import type { Produced } from "./produced.ts";
import type { Transport } from "./socket-address.ts";

/** A cluster with the endpoints of its backends. */
export interface BackendCluster {
  readonly name: string;
  readonly transport: Transport;
  readonly isWeighted: boolean;
  readonly groups: readonly EndpointGroup[];
  /** That of every backend; `undefined` is Envoy's defaults. */
  readonly policy: BackendPolicy | undefined;
  readonly origins: readonly string[];
}

/** The resources of a cluster: with EDS, or where some endpoint has a name, which EDS cannot say, with its endpoints inside. */
export function translateBackendCluster(cluster: BackendCluster): readonly Produced[] {
  const { name, transport, isWeighted, groups, policy, origins } = cluster;
  const endpoints = translateEndpoints(name, transport, groups);
  const hasNames = groups.some((group) => group.endpoints.some(({ address }) => isIP(address) === 0));
  if (hasNames) {
    return [
      {
        schema: ClusterSchema,
        name,
        message: translateNamedCluster(name, isWeighted, endpoints, policy),
        origins,
      },
    ];
  }
  return [
    { schema: ClusterSchema, name, message: translateCluster(name, isWeighted, policy), origins },
    { schema: ClusterLoadAssignmentSchema, name, message: endpoints, origins },
  ];
}
