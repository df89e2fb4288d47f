// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/**
 * The protos that the package offers; everything that they import comes along. A name that ends in `/` means
 * every .proto file of that folder and below. Not the whole API: upstream's folders also hold v2 files, whose
 * imports are not shipped.
 */
export const entries = [
  "envoy/admin/v3/",

  "envoy/config/bootstrap/v3/",
  "envoy/config/cluster/v3/",
  "envoy/config/core/v3/",
  "envoy/config/endpoint/v3/",
  "envoy/config/listener/v3/",
  "envoy/config/route/v3/",

  "envoy/data/core/v3/health_check_event.proto",

  "envoy/extensions/access_loggers/file/v3/",
  "envoy/extensions/access_loggers/stream/v3/",
  "envoy/extensions/filters/http/router/v3/",
  "envoy/extensions/filters/network/http_connection_manager/v3/",
  "envoy/extensions/filters/network/tcp_proxy/v3/",
  "envoy/extensions/filters/network/wasm/v3/",
  "envoy/extensions/filters/udp/udp_proxy/",
  "envoy/extensions/health_check/event_sinks/file/v3/",
  "envoy/extensions/load_balancing_policies/",
  "envoy/extensions/matching/common_inputs/network/v3/",
  "envoy/extensions/matching/input_matchers/",
  "envoy/extensions/network/dns_resolver/",
  "envoy/extensions/transport_sockets/raw_buffer/v3/",
  "envoy/extensions/transport_sockets/tls/v3/",
  "envoy/extensions/udp_packet_writer/v3/",
  "envoy/extensions/upstreams/http/v3/",
  "envoy/extensions/wasm/v3/",

  "envoy/service/cluster/v3/",
  "envoy/service/discovery/v3/",
  "envoy/service/endpoint/v3/",
  "envoy/service/extension/v3/",
  "envoy/service/health/v3/",
  "envoy/service/listener/v3/",
  "envoy/service/load_stats/v3/",
  "envoy/service/route/v3/",
  "envoy/service/runtime/v3/",
  "envoy/service/secret/v3/",
  "envoy/service/status/v3/",

  "udpa/type/v1/",
  "xds/core/v3/",
  "xds/type/matcher/v3/",
  "xds/type/v3/",
];
