// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import {
  type Cluster,
  type Cluster_CommonLbConfig,
  Cluster_CommonLbConfig_ConsistentHashingLbConfigSchema,
  Cluster_CommonLbConfig_LocalityWeightedLbConfigSchema,
  Cluster_CommonLbConfigSchema,
  Cluster_LbPolicy,
} from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { type BalancingPlan, defaultBalancing } from "../cluster/balancing-plan.ts";
import { readLbExtension } from "./read-lb-extension.ts";
import { type PolicyKind, policyReaders } from "./read-lb-options.ts";
import { readSubsets } from "./read-lb-subset.ts";
import { at, type FieldRule, onlyFalse, refuse, refuseOthers } from "./refuse.ts";

/** What a cluster itself says of balancing; the rest comes with its endpoints and its circuit breakers. */
export type ClusterBalancing = Pick<
  BalancingPlan,
  "policy" | "isLocalityWeighted" | "panicThreshold" | "subsets"
>;

/** What is said of each field of `CommonLbConfig`; any other is refused. */
export const commonLbRules: Readonly<Record<string, FieldRule>> = {
  close_connections_on_host_set_change: onlyFalse,
  ignore_new_hosts_until_first_hc: onlyFalse,
  update_merge_window: "accepted",
  healthy_panic_threshold: "accepted",
  locality_weighted_lb_config: "accepted",
  consistent_hashing_lb_config: "accepted",
};

/** Reads `load_balancing_policy`, or else `lb_policy` with its options, and `common_lb_config`. */
export function readBalancing(cluster: Cluster, path: string): ClusterBalancing {
  const common = readCommon(cluster.commonLbConfig, at(path, "common_lb_config"));
  if (cluster.loadBalancingPolicy !== undefined) {
    if (cluster.lbConfig.case !== undefined) {
      const problem = "is for lb_policy; remove it, load_balancing_policy has its options inside";
      refuse("MSM_CLUSTER_LB_POLICY", at(path, fieldOf(cluster.lbConfig.case)), problem);
    }
    if (cluster.lbSubsetConfig !== undefined) {
      const problem = "is for lb_policy; remove it, load_balancing_policy can name a Subset";
      refuse("MSM_CLUSTER_LB_SUBSET", at(path, "lb_subset_config"), problem);
    }
    const extension = readLbExtension(cluster.loadBalancingPolicy, at(path, "load_balancing_policy"));
    return { ...common, ...extension };
  }
  const subsets = readSubsets(cluster.lbSubsetConfig, at(path, "lb_subset_config"));
  return { ...common, policy: readPolicy(cluster, path), ...(subsets === undefined ? {} : { subsets }) };
}

const KINDS: ReadonlyMap<Cluster_LbPolicy, PolicyKind> = new Map([
  [Cluster_LbPolicy.ROUND_ROBIN, "ROUND_ROBIN"],
  [Cluster_LbPolicy.LEAST_REQUEST, "LEAST_REQUEST"],
  [Cluster_LbPolicy.RANDOM, "RANDOM"],
  [Cluster_LbPolicy.RING_HASH, "RING_HASH"],
  [Cluster_LbPolicy.MAGLEV, "MAGLEV"],
]);

function readPolicy(cluster: Cluster, path: string): BalancingPlan["policy"] {
  const kind = KINDS.get(cluster.lbPolicy);
  if (kind === undefined) {
    refuse(
      "MSM_CLUSTER_LB_POLICY",
      at(path, "lb_policy"),
      `must be one of ${[...KINDS.values()].join(", ")}`,
    );
  }
  const { case: options, value } = cluster.lbConfig;
  const field = options === undefined ? "" : fieldOf(options);
  if (field !== "" && field !== `${kind.toLowerCase()}_lb_config`) {
    const problem = `is not for lb_policy ${kind}; remove it or set the policy that it is for`;
    refuse("MSM_CLUSTER_LB_POLICY", at(path, field), problem);
  }
  return policyReaders[kind](value, at(path, field));
}

function fieldOf(localName: string): string {
  return localName.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function readCommon(
  config: Cluster_CommonLbConfig | undefined,
  path: string,
): Pick<BalancingPlan, "isLocalityWeighted" | "panicThreshold"> {
  const { isLocalityWeighted, panicThreshold } = defaultBalancing;
  if (config === undefined) return { isLocalityWeighted, panicThreshold };
  refuseOthers(Cluster_CommonLbConfigSchema, config, path, commonLbRules);
  const locality = config.localityConfigSpecifier;
  if (locality.case === "localityWeightedLbConfig") {
    const schema = Cluster_CommonLbConfig_LocalityWeightedLbConfigSchema;
    refuseOthers(schema, locality.value, at(path, "locality_weighted_lb_config"), {});
  }
  if (config.consistentHashingLbConfig !== undefined) {
    const schema = Cluster_CommonLbConfig_ConsistentHashingLbConfigSchema;
    refuseOthers(schema, config.consistentHashingLbConfig, at(path, "consistent_hashing_lb_config"), {
      use_hostname_for_hashing: onlyFalse,
    });
  }
  return {
    isLocalityWeighted: locality.case === "localityWeightedLbConfig",
    panicThreshold: config.healthyPanicThreshold?.value ?? panicThreshold,
  };
}
