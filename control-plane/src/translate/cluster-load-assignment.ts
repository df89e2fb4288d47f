// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { create } from "@msm/xds-protos";
import { HealthStatus } from "@msm/xds-protos/envoy/config/core/v3/health_check_pb.js";
import {
  type LbEndpoint,
  LbEndpointSchema,
  type LocalityLbEndpoints,
  LocalityLbEndpointsSchema,
} from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_components_pb.js";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import type { Endpoint } from "./backend-endpoints.ts";
import { socketAddress, type Transport } from "./socket-address.ts";

/** Endpoints of one backend. */
export interface EndpointGroup {
  /** The sub-zone of their locality: empty where the cluster has one backend. */
  readonly name: string;
  /** The share of the group; 0 takes no new sessions, undefined is for a cluster that has one backend. */
  readonly weight: number | undefined;
  readonly endpoints: readonly Endpoint[];
}

/** Makes the endpoints of a cluster. Without any it is still sent, or the cluster would wait for it forever. */
export function translateEndpoints(
  cluster: string,
  transport: Transport,
  groups: readonly EndpointGroup[],
): ClusterLoadAssignment {
  const endpoints = groups
    .filter((group) => group.endpoints.length > 0)
    .map((group) => translateGroup(group, transport));
  return create(ClusterLoadAssignmentSchema, { clusterName: cluster, endpoints });
}

function translateGroup(
  { name, weight, endpoints }: EndpointGroup,
  transport: Transport,
): LocalityLbEndpoints {
  return create(LocalityLbEndpointsSchema, {
    // Some clients refuse a group of endpoints without a locality, be it an empty one.
    locality: name === "" ? {} : { subZone: name },
    lbEndpoints: endpoints.map((endpoint) => translateEndpoint(endpoint, transport)),
    // Envoy wants 1 or more, and gives nothing to a group that says nothing.
    ...(weight === undefined || weight === 0 ? {} : { loadBalancingWeight: weight }),
  });
}

function translateEndpoint({ address, port, isDraining }: Endpoint, transport: Transport): LbEndpoint {
  return create(LbEndpointSchema, {
    hostIdentifier: { case: "endpoint", value: { address: socketAddress(transport, address, port) } },
    healthStatus: isDraining ? HealthStatus.DRAINING : HealthStatus.HEALTHY,
  });
}
