// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { create } from "@msm/xds-protos";
import { HealthStatus } from "@msm/xds-protos/envoy/config/core/v3/health_check_pb.js";
import {
  type LbEndpoint,
  LbEndpointSchema,
  LocalityLbEndpointsSchema,
} from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_components_pb.js";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import type { Endpoint } from "./backend-endpoints.ts";
import { udpAddress } from "./listener.ts";

/** Makes the endpoints of a cluster. Without any it is still sent, or the cluster would wait for it forever. */
export function translateEndpoints(cluster: string, endpoints: readonly Endpoint[]): ClusterLoadAssignment {
  const lbEndpoints = endpoints.map(translateEndpoint);
  // Some clients refuse a group of endpoints without a locality, be it an empty one.
  const group = create(LocalityLbEndpointsSchema, { locality: {}, lbEndpoints });
  return create(ClusterLoadAssignmentSchema, {
    clusterName: cluster,
    endpoints: lbEndpoints.length === 0 ? [] : [group],
  });
}

function translateEndpoint({ address, port, isDraining }: Endpoint): LbEndpoint {
  return create(LbEndpointSchema, {
    hostIdentifier: { case: "endpoint", value: { address: udpAddress(address, port) } },
    healthStatus: isDraining ? HealthStatus.DRAINING : HealthStatus.HEALTHY,
  });
}
