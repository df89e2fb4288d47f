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
  RouteAction_HashPolicy_FilterStateSchema,
  RouteAction_HashPolicy_HeaderSchema,
  RouteAction_HashPolicySchema,
  RouteActionSchema,
  WeightedCluster_ClusterWeightSchema,
  WeightedClusterSchema,
  type WeightedCluster as WeightedClusters,
} from "@msm/xds-protos/envoy/config/route/v3/route_components_pb.js";
import { type LbMetadata, subsetMatch } from "../cluster/subset-plan.ts";
import { isSubstitutionOf } from "../routes/regex/run-regex.ts";
import type {
  DirectAction,
  ForwardAction,
  HashSource,
  PathRewrite,
  WeightedCluster,
} from "../routes/route-plan.ts";
import { readLbMetadata } from "./read-lb-metadata.ts";
import { readRegex } from "./read-regex.ts";
import { at, type FieldRule, refuse, refuseOthers } from "./refuse.ts";

/** What is said of each field of `RouteAction`; any other is refused. */
export const routeActionRules: Readonly<Record<string, FieldRule>> = {
  cluster: "accepted",
  weighted_clusters: "accepted",
  metadata_match: "accepted",
  prefix_rewrite: "accepted",
  regex_rewrite: "accepted",
  host_rewrite_literal: "accepted",
  hash_policy: "accepted",
};

/** The same of `WeightedCluster`. */
export const weightedClusterRules: Readonly<Record<string, FieldRule>> = {
  clusters: "accepted",
  total_weight: "accepted",
};

/** The same of `WeightedCluster.ClusterWeight`. */
export const clusterWeightRules: Readonly<Record<string, FieldRule>> = {
  name: "accepted",
  weight: "accepted",
  metadata_match: "accepted",
};

/** The same of `RouteAction.HashPolicy`. */
export const hashPolicyRules: Readonly<Record<string, FieldRule>> = {
  header: "accepted",
  connection_properties: "accepted",
  filter_state: "accepted",
  terminal: "accepted",
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
    clusters: readClusters(clusterSpecifier, readLbMetadata(action.metadataMatch), path),
    pathRewrite: readPathRewrite(action, path),
    hostRewrite: isHostRewritten ? hostRewriteSpecifier.value : undefined,
    hashes: readHashes(hashPolicy, at(path, "hash_policy")),
  };
}

/** `metadata` is what the route asks for of endpoints; a weighted cluster may ask for more, or for another value. */
function readClusters(
  specifier: RouteAction["clusterSpecifier"],
  metadata: LbMetadata,
  path: string,
): readonly WeightedCluster[] {
  if (specifier.case === "cluster") return [inSubset(specifier.value, 1, metadata)];
  if (specifier.case === "weightedClusters")
    return readWeights(specifier.value, metadata, at(path, "weighted_clusters"));
  return refuse("MSM_ROUTE_ACTION", path, "must name a cluster or weighted_clusters");
}

function inSubset(name: string, weight: number, metadata: LbMetadata): WeightedCluster {
  const subset = subsetMatch(metadata);
  return { name, weight, ...(subset === undefined ? {} : { subset }) };
}

function readWeights(
  weighted: WeightedClusters,
  metadata: LbMetadata,
  path: string,
): readonly WeightedCluster[] {
  refuseOthers(WeightedClusterSchema, weighted, path, weightedClusterRules);
  const clusters = weighted.clusters.map((cluster, i) => {
    const clusterPath = `${at(path, "clusters")}[${i}]`;
    refuseOthers(WeightedCluster_ClusterWeightSchema, cluster, clusterPath, clusterWeightRules);
    if (cluster.name === "") refuse("MSM_CONFIG_MISSING", at(clusterPath, "name"), "is needed");
    const own = readLbMetadata(cluster.metadataMatch);
    return inSubset(cluster.name, cluster.weight ?? 0, { ...metadata, ...own });
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
    refuseOthers(RouteAction_HashPolicySchema, policy, policyPath, hashPolicyRules);
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
  if (kind === "filterState") {
    refuseOthers(RouteAction_HashPolicy_FilterStateSchema, value, at(path, "filter_state"), {
      key: "accepted",
    });
    return { kind: "state", name: value.key };
  }
  if (kind !== "header") {
    return refuse("MSM_ROUTE_ACTION", path, "must be a header, the filter_state or the source_ip");
  }
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
