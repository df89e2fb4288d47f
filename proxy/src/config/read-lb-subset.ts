// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from "@msm/xds-protos";
import {
  type Cluster_LbSubsetConfig,
  Cluster_LbSubsetConfig_LbSubsetSelectorSchema,
  Cluster_LbSubsetConfigSchema,
} from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import {
  type Subset,
  Subset_LbSubsetSelectorSchema,
  SubsetSchema,
} from "@msm/xds-protos/envoy/extensions/load_balancing_policies/subset/v3/subset_pb.js";
import type { SubsetFallback, SubsetPlan, SubsetSelector } from "../cluster/subset-plan.ts";
import { toLbMetadata } from "./read-lb-metadata.ts";
import { at, type FieldRule, onlyFalse, refuse, refuseOthers } from "./refuse.ts";

/** What is said of each field of `LbSubsetConfig`, and of `Subset` but for its inner policy; any other is refused. */
export const subsetRules: Readonly<Record<string, FieldRule>> = {
  fallback_policy: "accepted",
  default_subset: "accepted",
  subset_selectors: "accepted",
  locality_weight_aware: onlyFalse,
  scale_locality_weight: onlyFalse,
  panic_mode_any: onlyFalse,
  list_as_any: onlyFalse,
};

/** The same of their selectors. */
export const subsetSelectorRules: Readonly<Record<string, FieldRule>> = {
  keys: "accepted",
  fallback_policy: "accepted",
  single_host_per_subset: onlyFalse,
};

/** By the numbers of Envoy's enumerations, which differ in what 0 means: NO_FALLBACK, or NOT_DEFINED. */
const FALLBACKS: readonly SubsetFallback[] = ["NO_FALLBACK", "ANY_ENDPOINT", "DEFAULT_SUBSET"];

/** Reads `lb_subset_config`, which without selectors does nothing, as in Envoy. Throws a `ConfigError`. */
export function readSubsets(
  config: Cluster_LbSubsetConfig | undefined,
  path: string,
): SubsetPlan | undefined {
  if (config === undefined) return undefined;
  refuseOthers(Cluster_LbSubsetConfigSchema, config, path, subsetRules);
  for (const [index, selector] of config.subsetSelectors.entries()) {
    const selectorPath = `${at(path, "subset_selectors")}[${index}]`;
    refuseOthers(Cluster_LbSubsetConfig_LbSubsetSelectorSchema, selector, selectorPath, subsetSelectorRules);
  }
  return toSubsets(config, path);
}

/** Reads the options of the `subset` policy but for the policy inside. */
export function readSubsetExtension(config: Subset, path: string): SubsetPlan | undefined {
  refuseOthers(SubsetSchema, config, path, { ...subsetRules, subset_lb_policy: "accepted" });
  for (const [index, selector] of config.subsetSelectors.entries()) {
    const selectorPath = `${at(path, "subset_selectors")}[${index}]`;
    refuseOthers(Subset_LbSubsetSelectorSchema, selector, selectorPath, subsetSelectorRules);
  }
  return toSubsets(config, path);
}

/** What both forms have. */
interface Values {
  readonly fallbackPolicy: number;
  readonly defaultSubset?: JsonObject | undefined;
  readonly subsetSelectors: readonly { readonly keys: readonly string[]; readonly fallbackPolicy: number }[];
}

function toSubsets(config: Values, path: string): SubsetPlan | undefined {
  const fallback = FALLBACKS[config.fallbackPolicy];
  if (fallback === undefined) {
    return refuse("MSM_CLUSTER_LB_SUBSET", at(path, "fallback_policy"), `must be ${FALLBACKS.join(", ")}`);
  }
  const selectors = config.subsetSelectors.map((selector, index) =>
    toSelector(selector, `${at(path, "subset_selectors")}[${index}]`),
  );
  const seen = new Set<string>();
  for (const [index, { keys }] of selectors.entries()) {
    const names = JSON.stringify(keys);
    if (seen.has(names)) {
      const problem = "has the keys of a selector before it; remove one";
      refuse("MSM_CLUSTER_LB_SUBSET", `${at(path, "subset_selectors")}[${index}].keys`, problem);
    }
    seen.add(names);
  }
  if (selectors.length === 0) return undefined;
  return { fallback, defaultSubset: toLbMetadata(config.defaultSubset), selectors };
}

function toSelector(
  { keys, fallbackPolicy }: Values["subsetSelectors"][number],
  path: string,
): SubsetSelector {
  // 0 is NOT_DEFINED, and the others are one more than those of the cluster.
  const fallback = fallbackPolicy === 0 ? undefined : FALLBACKS[fallbackPolicy - 1];
  if (fallbackPolicy !== 0 && fallback === undefined) {
    refuse("MSM_CLUSTER_LB_SUBSET", at(path, "fallback_policy"), `must be ${FALLBACKS.join(", ")}`);
  }
  if (keys.length === 0) refuse("MSM_CONFIG_MISSING", at(path, "keys"), "is needed; name a key of metadata");
  return { keys: [...new Set(keys)].sort(), fallback };
}
