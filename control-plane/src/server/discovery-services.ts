// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { type DescMethod, type DescService, typeUrls } from "@msm/xds-protos";
import { ClusterDiscoveryService } from "@msm/xds-protos/envoy/service/cluster/v3/cds_pb.js";
import { AggregatedDiscoveryService } from "@msm/xds-protos/envoy/service/discovery/v3/ads_pb.js";
import {
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
} from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { EndpointDiscoveryService } from "@msm/xds-protos/envoy/service/endpoint/v3/eds_pb.js";
import { ExtensionConfigDiscoveryService } from "@msm/xds-protos/envoy/service/extension/v3/config_discovery_pb.js";
import { ListenerDiscoveryService } from "@msm/xds-protos/envoy/service/listener/v3/lds_pb.js";
import {
  RouteDiscoveryService,
  VirtualHostDiscoveryService,
} from "@msm/xds-protos/envoy/service/route/v3/rds_pb.js";
import { ScopedRoutesDiscoveryService } from "@msm/xds-protos/envoy/service/route/v3/srds_pb.js";
import { RuntimeDiscoveryService } from "@msm/xds-protos/envoy/service/runtime/v3/rtds_pb.js";
import { SecretDiscoveryService } from "@msm/xds-protos/envoy/service/secret/v3/sds_pb.js";

/** A gRPC service of the xDS protocol. */
export interface DiscoveryService {
  readonly service: DescService;
  /** The one type that it serves; undefined for the aggregated service. */
  readonly typeUrl: string | undefined;
  /** The last part of its path over REST: `/v3/discovery:clusters`. */
  readonly restName?: string;
}

const ENVOY = "type.googleapis.com/envoy.config.route.v3";

/** Every xDS service: the aggregated one, and one for each type. */
export const discoveryServices: readonly DiscoveryService[] = [
  { service: AggregatedDiscoveryService, typeUrl: undefined },
  { service: ClusterDiscoveryService, typeUrl: typeUrls.cluster, restName: "clusters" },
  { service: EndpointDiscoveryService, typeUrl: typeUrls.clusterLoadAssignment, restName: "endpoints" },
  { service: ListenerDiscoveryService, typeUrl: typeUrls.listener, restName: "listeners" },
  { service: RouteDiscoveryService, typeUrl: typeUrls.routeConfiguration, restName: "routes" },
  { service: VirtualHostDiscoveryService, typeUrl: `${ENVOY}.VirtualHost` },
  {
    service: ScopedRoutesDiscoveryService,
    typeUrl: `${ENVOY}.ScopedRouteConfiguration`,
    restName: "scoped-routes",
  },
  { service: SecretDiscoveryService, typeUrl: typeUrls.secret, restName: "secrets" },
  {
    service: ExtensionConfigDiscoveryService,
    typeUrl: typeUrls.typedExtensionConfig,
    restName: "extension_configs",
  },
  { service: RuntimeDiscoveryService, typeUrl: typeUrls.runtime, restName: "runtime" },
];

/** Which variant of the protocol a method speaks. */
export function variantOf({ methodKind, input }: DescMethod): "sotw" | "delta" | "fetch" {
  if (methodKind !== "bidi_streaming" && input.typeName === DiscoveryRequestSchema.typeName) return "fetch";
  if (input.typeName === DeltaDiscoveryRequestSchema.typeName) return "delta";
  return "sotw";
}
