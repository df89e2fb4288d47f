// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { DescMessage } from "@bufbuild/protobuf";
import {
  CircuitBreakers_ThresholdsSchema,
  CircuitBreakersSchema,
} from "@msm/xds-protos/envoy/config/cluster/v3/circuit_breaker_pb.js";
import {
  Cluster_CommonLbConfigSchema,
  Cluster_EdsClusterConfigSchema,
  Cluster_LbSubsetConfig_LbSubsetSelectorSchema,
  Cluster_LbSubsetConfigSchema,
  Cluster_LeastRequestLbConfigSchema,
  Cluster_RingHashLbConfigSchema,
  ClusterSchema,
} from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { OutlierDetectionSchema } from "@msm/xds-protos/envoy/config/cluster/v3/outlier_detection_pb.js";
import {
  HealthCheck_HttpHealthCheckSchema,
  HealthCheck_TcpHealthCheckSchema,
  HealthCheckSchema,
} from "@msm/xds-protos/envoy/config/core/v3/health_check_pb.js";
import {
  Endpoint_HealthCheckConfigSchema,
  EndpointSchema,
  LbEndpointSchema,
  LocalityLbEndpointsSchema,
} from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_components_pb.js";
import {
  ClusterLoadAssignment_PolicySchema,
  ClusterLoadAssignmentSchema,
} from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import {
  HeaderMatcherSchema,
  RouteAction_HashPolicySchema,
  RouteActionSchema,
  RouteMatchSchema,
  RouteSchema,
  VirtualHostSchema,
  WeightedCluster_ClusterWeightSchema,
  WeightedClusterSchema,
} from "@msm/xds-protos/envoy/config/route/v3/route_components_pb.js";
import { RouteConfigurationSchema } from "@msm/xds-protos/envoy/config/route/v3/route_pb.js";
import { UdpProxyConfigSchema } from "@msm/xds-protos/envoy/extensions/filters/udp/udp_proxy/v3/udp_proxy_pb.js";
import { commonLbRules } from "./read-balancing.ts";
import { circuitBreakerRules, clusterRules, edsRules, thresholdRules } from "./read-cluster.ts";
import { healthCheckRules, httpCheckRules, tcpCheckRules } from "./read-health-check.ts";
import { leastRequestRules, ringHashRules } from "./read-lb-options.ts";
import { subsetRules, subsetSelectorRules } from "./read-lb-subset.ts";
import {
  assignmentPolicyRules,
  assignmentRules,
  endpointCheckRules,
  endpointRules,
  hostRules,
  localityRules,
} from "./read-load-assignment.ts";
import { outlierRules } from "./read-outlier-detection.ts";
import {
  clusterWeightRules,
  hashPolicyRules,
  routeActionRules,
  weightedClusterRules,
} from "./read-route-action.ts";
import { headerRules, routeMatchRules } from "./read-route-match.ts";
import { routeConfigurationRules, routeRules, virtualHostRules } from "./read-routes.ts";
import { udpProxyRules } from "./read-udp-proxy.ts";
import type { FieldRule } from "./refuse.ts";

/** A message and what is said of its fields. */
export type MessageRules = readonly [DescMessage, Readonly<Record<string, FieldRule>>];

/** The messages about clusters, endpoints and routes. */
export const messages: readonly MessageRules[] = [
  [ClusterSchema, clusterRules],
  [Cluster_EdsClusterConfigSchema, edsRules],
  [Cluster_CommonLbConfigSchema, commonLbRules],
  [Cluster_LeastRequestLbConfigSchema, leastRequestRules],
  [Cluster_RingHashLbConfigSchema, ringHashRules],
  [Cluster_LbSubsetConfigSchema, subsetRules],
  [Cluster_LbSubsetConfig_LbSubsetSelectorSchema, subsetSelectorRules],
  [CircuitBreakersSchema, circuitBreakerRules],
  [CircuitBreakers_ThresholdsSchema, thresholdRules],
  [HealthCheckSchema, healthCheckRules],
  [HealthCheck_TcpHealthCheckSchema, tcpCheckRules],
  [HealthCheck_HttpHealthCheckSchema, httpCheckRules],
  [OutlierDetectionSchema, outlierRules],
  [ClusterLoadAssignmentSchema, assignmentRules],
  [ClusterLoadAssignment_PolicySchema, assignmentPolicyRules],
  [LocalityLbEndpointsSchema, localityRules],
  [LbEndpointSchema, endpointRules],
  [EndpointSchema, hostRules],
  [Endpoint_HealthCheckConfigSchema, endpointCheckRules],
  [UdpProxyConfigSchema, udpProxyRules],
  [RouteConfigurationSchema, routeConfigurationRules],
  [VirtualHostSchema, virtualHostRules],
  [RouteSchema, routeRules],
  [RouteMatchSchema, routeMatchRules],
  [HeaderMatcherSchema, headerRules],
  [RouteActionSchema, routeActionRules],
  [WeightedClusterSchema, weightedClusterRules],
  [WeightedCluster_ClusterWeightSchema, clusterWeightRules],
  [RouteAction_HashPolicySchema, hashPolicyRules],
];

/** The name of a message without its package. */
export function shortName(schema: DescMessage): string {
  return schema.typeName.slice(schema.typeName.indexOf(".v3.") + 4);
}

/** For each message, which of its fields are refused, in Markdown: made from the rules that refuse them. */
export function fieldTable(): string {
  const rows = messages.map(([schema, rules]) => {
    const names = schema.fields.map(({ name }) => name);
    const taken = names.filter((name) => rules[name] === "accepted");
    const limited = names.flatMap((name) => {
      const rule = rules[name];
      return rule === undefined || rule === "accepted" ? [] : [`\`${name}\` (${String(rule.only)})`];
    });
    const refused = names.filter((name) => rules[name] === undefined);
    return `| \`${shortName(schema)}\` | ${list(taken)} | ${limited.join(", ")} | ${list(refused)} |`;
  });
  return ["| message | taken | one value only | refused |", "|---|---|---|---|", ...rows].join("\n");
}

function list(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}
