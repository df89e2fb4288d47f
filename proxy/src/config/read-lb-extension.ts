// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Any } from "@bufbuild/protobuf/wkt";
import {
  type LoadBalancingPolicy,
  LoadBalancingPolicySchema,
} from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import {
  type ConsistentHashingLbConfig,
  ConsistentHashingLbConfigSchema,
  type LocalityLbConfig,
  LocalityLbConfigSchema,
  type SlowStartConfig,
  SlowStartConfigSchema,
} from "@msm/xds-protos/envoy/extensions/load_balancing_policies/common/v3/common_pb.js";
import {
  LeastRequest_SelectionMethod,
  LeastRequestSchema,
} from "@msm/xds-protos/envoy/extensions/load_balancing_policies/least_request/v3/least_request_pb.js";
import { MaglevSchema } from "@msm/xds-protos/envoy/extensions/load_balancing_policies/maglev/v3/maglev_pb.js";
import { RandomSchema } from "@msm/xds-protos/envoy/extensions/load_balancing_policies/random/v3/random_pb.js";
import {
  RingHash_HashFunction,
  RingHashSchema,
} from "@msm/xds-protos/envoy/extensions/load_balancing_policies/ring_hash/v3/ring_hash_pb.js";
import { RoundRobinSchema } from "@msm/xds-protos/envoy/extensions/load_balancing_policies/round_robin/v3/round_robin_pb.js";
import { SubsetSchema } from "@msm/xds-protos/envoy/extensions/load_balancing_policies/subset/v3/subset_pb.js";
import { WrrLocalitySchema } from "@msm/xds-protos/envoy/extensions/load_balancing_policies/wrr_locality/v3/wrr_locality_pb.js";
import type { BalancingPlan } from "../cluster/balancing-plan.ts";
import type { SlowStart } from "../cluster/slow-start.ts";
import { toLeastRequest, toMaglev, toRingHash, toSlowStart } from "./read-lb-options.ts";
import { readSubsetExtension } from "./read-lb-subset.ts";
import { at, onlyFalse, refuse, refuseOthers } from "./refuse.ts";
import { typeNameOf, unpack } from "./unpack.ts";

type Read = Pick<BalancingPlan, "policy" | "isLocalityWeighted" | "subsets">;

/** Reads `load_balancing_policy`: the first policy of the list that this proxy has, as Envoy does. */
export function readLbExtension(list: LoadBalancingPolicy, path: string): Read {
  refuseOthers(LoadBalancingPolicySchema, list, path, { policies: "accepted" });
  for (const [index, { typedExtensionConfig }] of list.policies.entries()) {
    const any = typedExtensionConfig?.typedConfig;
    const read = any === undefined ? undefined : readers[typeNameOf(any.typeUrl)];
    const field = at(path, `policies[${index}].typed_extension_config.typed_config`);
    if (read !== undefined) return read(any!, field);
  }
  const names = Object.keys(readers).map((type) => type.slice(type.lastIndexOf(".") + 1));
  return refuse("MSM_CLUSTER_LB_POLICY", path, `must name one of ${names.join(", ")}`);
}

/** By the type of their options. */
const readers: Readonly<Record<string, (any: Any, path: string) => Read>> = {
  [RoundRobinSchema.typeName](any, path) {
    const config = unpack(RoundRobinSchema, any, path);
    refuseOthers(RoundRobinSchema, config, path, {
      slow_start_config: "accepted",
      locality_lb_config: "accepted",
    });
    const slowStart = readSlowStart(config.slowStartConfig, at(path, "slow_start_config"));
    return { policy: { kind: "ROUND_ROBIN", slowStart }, ...readLocality(config.localityLbConfig, path) };
  },

  [LeastRequestSchema.typeName](any, path) {
    const config = unpack(LeastRequestSchema, any, path);
    refuseOthers(LeastRequestSchema, config, path, {
      choice_count: "accepted",
      active_request_bias: "accepted",
      slow_start_config: "accepted",
      locality_lb_config: "accepted",
      enable_full_scan: onlyFalse,
      selection_method: { only: LeastRequest_SelectionMethod.N_CHOICES, hint: "use N_CHOICES" },
    });
    const slowStart = readSlowStart(config.slowStartConfig, at(path, "slow_start_config"));
    return {
      policy: toLeastRequest({ ...config, slowStart }),
      ...readLocality(config.localityLbConfig, path),
    };
  },

  [RandomSchema.typeName](any, path) {
    const config = unpack(RandomSchema, any, path);
    refuseOthers(RandomSchema, config, path, { locality_lb_config: "accepted" });
    return { policy: { kind: "RANDOM" }, ...readLocality(config.localityLbConfig, path) };
  },

  [RingHashSchema.typeName](any, path) {
    const config = unpack(RingHashSchema, any, path);
    const isMurmur = config.hashFunction === RingHash_HashFunction.MURMUR_HASH_2;
    if (isMurmur) refuse("MSM_CONFIG_UNSUPPORTED_VALUE", at(path, "hash_function"), "must be XX_HASH");
    refuseOthers(RingHashSchema, config, path, {
      hash_function: "accepted",
      minimum_ring_size: "accepted",
      maximum_ring_size: "accepted",
      use_hostname_for_hashing: onlyFalse,
      consistent_hashing_lb_config: "accepted",
      locality_weighted_lb_config: "accepted",
    });
    checkHashing(config.consistentHashingLbConfig, path);
    const isLocalityWeighted = config.localityWeightedLbConfig !== undefined;
    return { policy: toRingHash(config, path), isLocalityWeighted };
  },

  [MaglevSchema.typeName](any, path) {
    const config = unpack(MaglevSchema, any, path);
    refuseOthers(MaglevSchema, config, path, {
      table_size: "accepted",
      consistent_hashing_lb_config: "accepted",
      locality_weighted_lb_config: "accepted",
    });
    checkHashing(config.consistentHashingLbConfig, path);
    const isLocalityWeighted = config.localityWeightedLbConfig !== undefined;
    return { policy: toMaglev(config.tableSize, path), isLocalityWeighted };
  },

  [SubsetSchema.typeName](any, path) {
    const config = unpack(SubsetSchema, any, path);
    const subsets = readSubsetExtension(config, path);
    const field = at(path, "subset_lb_policy");
    if (config.subsetLbPolicy === undefined) refuse("MSM_CONFIG_MISSING", field, "is needed");
    const inner = readLbExtension(config.subsetLbPolicy, field);
    if (inner.subsets !== undefined) refuse("MSM_CLUSTER_LB_SUBSET", field, "must not have subsets itself");
    return { ...inner, ...(subsets === undefined ? {} : { subsets }) };
  },

  [WrrLocalitySchema.typeName](any, path) {
    const config = unpack(WrrLocalitySchema, any, path);
    refuseOthers(WrrLocalitySchema, config, path, { endpoint_picking_policy: "accepted" });
    const field = at(path, "endpoint_picking_policy");
    if (config.endpointPickingPolicy === undefined) refuse("MSM_CONFIG_MISSING", field, "is needed");
    return { ...readLbExtension(config.endpointPickingPolicy, field), isLocalityWeighted: true };
  },
};

function readLocality(
  config: LocalityLbConfig | undefined,
  policyPath: string,
): { readonly isLocalityWeighted: boolean } {
  if (config === undefined) return { isLocalityWeighted: false };
  const path = at(policyPath, "locality_lb_config");
  refuseOthers(LocalityLbConfigSchema, config, path, { locality_weighted_lb_config: "accepted" });
  return { isLocalityWeighted: config.localityConfigSpecifier.case === "localityWeightedLbConfig" };
}

function checkHashing(config: ConsistentHashingLbConfig | undefined, policyPath: string): void {
  if (config === undefined) return;
  const path = at(policyPath, "consistent_hashing_lb_config");
  refuseOthers(ConsistentHashingLbConfigSchema, config, path, { use_hostname_for_hashing: onlyFalse });
}

function readSlowStart(config: SlowStartConfig | undefined, path: string): SlowStart | undefined {
  if (config === undefined) return undefined;
  refuseOthers(SlowStartConfigSchema, config, path, {
    slow_start_window: "accepted",
    aggression: "accepted",
    min_weight_percent: "accepted",
  });
  return toSlowStart(config, path);
}
