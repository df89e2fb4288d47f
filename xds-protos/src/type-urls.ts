// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { DescMessage } from "@bufbuild/protobuf";

const PREFIX = "type.googleapis.com/";

/** The type URLs of the xDS resources, as `type_url` of requests and responses and in `Any`. */
export const typeUrls = {
  listener: `${PREFIX}envoy.config.listener.v3.Listener`,
  routeConfiguration: `${PREFIX}envoy.config.route.v3.RouteConfiguration`,
  cluster: `${PREFIX}envoy.config.cluster.v3.Cluster`,
  clusterLoadAssignment: `${PREFIX}envoy.config.endpoint.v3.ClusterLoadAssignment`,
  secret: `${PREFIX}envoy.extensions.transport_sockets.tls.v3.Secret`,
  typedExtensionConfig: `${PREFIX}envoy.config.core.v3.TypedExtensionConfig`,
  runtime: `${PREFIX}envoy.service.runtime.v3.Runtime`,
} as const;

/** The type URL of any message: what `Any.type_url` says for it. */
export function typeUrlOf(schema: DescMessage): string {
  return PREFIX + schema.typeName;
}
