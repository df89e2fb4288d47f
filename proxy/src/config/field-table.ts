// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { DescMessage } from "@bufbuild/protobuf";
import { CircuitBreakers_ThresholdsSchema } from "@msm/xds-protos/envoy/config/cluster/v3/circuit_breaker_pb.js";
import {
  Cluster_CommonLbConfigSchema,
  ClusterSchema,
} from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { OutlierDetectionSchema } from "@msm/xds-protos/envoy/config/cluster/v3/outlier_detection_pb.js";
import { HealthCheckSchema } from "@msm/xds-protos/envoy/config/core/v3/health_check_pb.js";
import {
  LbEndpointSchema,
  LocalityLbEndpointsSchema,
} from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_components_pb.js";
import { commonLbRules } from "./read-balancing.ts";
import { clusterRules, thresholdRules } from "./read-cluster.ts";
import { healthCheckRules } from "./read-health-check.ts";
import { endpointRules, localityRules } from "./read-load-assignment.ts";
import { outlierRules } from "./read-outlier-detection.ts";
import type { FieldRule } from "./refuse.ts";

const TABLES: readonly (readonly [DescMessage, Readonly<Record<string, FieldRule>>])[] = [
  [ClusterSchema, clusterRules],
  [Cluster_CommonLbConfigSchema, commonLbRules],
  [CircuitBreakers_ThresholdsSchema, thresholdRules],
  [HealthCheckSchema, healthCheckRules],
  [OutlierDetectionSchema, outlierRules],
  [LocalityLbEndpointsSchema, localityRules],
  [LbEndpointSchema, endpointRules],
];

/** For each message about clusters, which fields are refused, in Markdown: made from the rules that refuse them. */
export function fieldTable(): string {
  const rows = TABLES.map(([schema, rules]) => {
    const names = schema.fields.map(({ name }) => name);
    const taken = names.filter((name) => rules[name] === "accepted");
    const limited = names.flatMap((name) => {
      const rule = rules[name];
      return rule === undefined || rule === "accepted" ? [] : [`\`${name}\` (${String(rule.only)})`];
    });
    const refused = names.filter((name) => rules[name] === undefined);
    const short = schema.typeName.slice(schema.typeName.indexOf(".v3.") + 4);
    return `| \`${short}\` | ${list(taken)} | ${limited.join(", ")} | ${list(refused)} |`;
  });
  return ["| message | taken | one value only | refused |", "|---|---|---|---|", ...rows].join("\n");
}

function list(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}
