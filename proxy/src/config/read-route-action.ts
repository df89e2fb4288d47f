// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { DataSourceSchema } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import {
  type DirectResponseAction,
  DirectResponseActionSchema,
  type Route,
  type RouteAction,
  type RouteAction_HashPolicy,
  RouteAction_HashPolicy_ConnectionPropertiesSchema,
  RouteAction_HashPolicy_HeaderSchema,
  RouteAction_HashPolicySchema,
  RouteActionSchema,
  type WeightedCluster,
  WeightedCluster_ClusterWeightSchema,
  WeightedClusterSchema,
} from "@msm/xds-protos/envoy/config/route/v3/route_components_pb.js";
import { isSubstitutionOf } from "../routes/regex/run-regex.ts";
import type { DirectAction, ForwardAction, HashSource, PathRewrite } from "../routes/route-plan.ts";
import { readRegex } from "./read-regex.ts";
import { at, type FieldRule, refuse, refuseOthers } from "./refuse.ts";

/** What is said of each field of `RouteAction`; any other is refused. */
export const routeActionRules: Readonly<Record<string, FieldRule>> = {
  cluster: "accepted",
  weighted_clusters: "accepted",
  prefix_rewrite: "accepted",
  regex_rewrite: "accepted",
  host_rewrite_literal: "accepted",
  hash_policy: "accepted",
};

/** Reads what becomes of a request that takes a route. Throws a `ConfigError`. */
export function readRouteAction({ action }: Route, path: string): ForwardAction | DirectAction {
  switch (action.case) {
    case "route":
      return readForward(action.value, at(path, "route"));
    case "directResponse":
      return readDirect(action.value, at(path, "direct_response"));
    default:
      return refuse("MSM_ROUTE_ACTION", path, "must have a route or a direct_response");
  }
}

function readForward(action: RouteAction, path: string): ForwardAction {
  refuseOthers(RouteActionSchema, action, path, routeActionRules);
  const { clusterSpecifier, hostRewriteSpecifier, hashPolicy } = action;
  const isHostRewritten = hostRewriteSpecifier.case === "hostRewriteLiteral";
  return {
    kind: "forward",
    clusters: readClusters(clusterSpecifier, path),
    pathRewrite: readPathRewrite(action, path),
    hostRewrite: isHostRewritten ? hostRewriteSpecifier.value : undefined,
    hashes: readHashes(hashPolicy, at(path, "hash_policy")),
  };
}

function readClusters(specifier: RouteAction["clusterSpecifier"], path: string): ForwardAction["clusters"] {
  if (specifier.case === "cluster") return [{ name: specifier.value, weight: 1 }];
  if (specifier.case === "weightedClusters")
    return readWeights(specifier.value, at(path, "weighted_clusters"));
  return refuse("MSM_ROUTE_ACTION", path, "must name a cluster or weighted_clusters");
}

function readWeights(weighted: WeightedCluster, path: string): ForwardAction["clusters"] {
  refuseOthers(WeightedClusterSchema, weighted, path, { clusters: "accepted", total_weight: "accepted" });
  const clusters = weighted.clusters.map((cluster, i) => {
    const clusterPath = `${at(path, "clusters")}[${i}]`;
    refuseOthers(WeightedCluster_ClusterWeightSchema, cluster, clusterPath, {
      name: "accepted",
      weight: "accepted",
    });
    if (cluster.name === "") refuse("MSM_CONFIG_MISSING", at(clusterPath, "name"), "is needed");
    return { name: cluster.name, weight: cluster.weight ?? 0 };
  });
  const total = clusters.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) refuse("MSM_ROUTE_ACTION", at(path, "clusters"), "have no weight; give one of them some");
  if (weighted.totalWeight !== undefined && weighted.totalWeight !== total) {
    refuse("MSM_ROUTE_ACTION", at(path, "total_weight"), `must be ${total}, the sum of the weights`);
  }
  return clusters;
}

function readPathRewrite(
  { prefixRewrite, regexRewrite }: RouteAction,
  path: string,
): PathRewrite | undefined {
  if (regexRewrite === undefined)
    return prefixRewrite === "" ? undefined : { kind: "prefix", value: prefixRewrite };
  const regexPath = at(path, "regex_rewrite");
  if (prefixRewrite !== "") refuse("MSM_ROUTE_ACTION", regexPath, "cannot stand beside prefix_rewrite");
  const { substitution } = regexRewrite;
  const regex = readRegex(regexRewrite.pattern, at(regexPath, "pattern"));
  if (!isSubstitutionOf(regex, substitution)) {
    const problem = `"${substitution}" names a group that the pattern does not have; write \\\\ for a backslash`;
    refuse("MSM_ROUTE_ACTION", at(regexPath, "substitution"), problem);
  }
  return { kind: "regex", regex, substitution };
}

/** Envoy mixes policies that all have a value, up to a terminal one; here the first that has a value decides. */
function readHashes(policies: readonly RouteAction_HashPolicy[], path: string): readonly HashSource[] {
  return policies.map((policy, i) => {
    const policyPath = `${path}[${i}]`;
    refuseOthers(RouteAction_HashPolicySchema, policy, policyPath, {
      header: "accepted",
      connection_properties: "accepted",
      terminal: "accepted",
    });
    if (i < policies.length - 1 && !policy.terminal) {
      refuse("MSM_ROUTE_ACTION", at(policyPath, "terminal"), "must be true in all but the last policy");
    }
    return readHash(policy, policyPath);
  });
}

function readHash(
  { policySpecifier: { case: kind, value } }: RouteAction_HashPolicy,
  path: string,
): HashSource {
  if (kind === "connectionProperties") {
    const propertiesPath = at(path, "connection_properties");
    refuseOthers(RouteAction_HashPolicy_ConnectionPropertiesSchema, value, propertiesPath, {
      source_ip: "accepted",
    });
    if (value.sourceIp) return { kind: "source" };
  }
  if (kind !== "header") return refuse("MSM_ROUTE_ACTION", path, "must be a header, or the source_ip");
  refuseOthers(RouteAction_HashPolicy_HeaderSchema, value, at(path, "header"), { header_name: "accepted" });
  const name = value.headerName.toLowerCase();
  return name === ":path" ? { kind: "path" } : { kind: "header", name };
}

function readDirect(direct: DirectResponseAction, path: string): DirectAction {
  refuseOthers(DirectResponseActionSchema, direct, path, { status: "accepted", body: "accepted" });
  const { body, status } = direct;
  if (body === undefined) return { kind: "direct", status, body: "" };
  refuseOthers(DataSourceSchema, body, at(path, "body"), { inline_string: "accepted" });
  const { specifier } = body;
  return { kind: "direct", status, body: specifier.case === "inlineString" ? specifier.value : "" };
}
