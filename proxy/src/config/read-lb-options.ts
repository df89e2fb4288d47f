// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { durationMs } from "@msm/xds-protos";
import {
  type Cluster,
  type Cluster_LeastRequestLbConfig,
  Cluster_LeastRequestLbConfigSchema,
  type Cluster_MaglevLbConfig,
  Cluster_MaglevLbConfigSchema,
  type Cluster_RingHashLbConfig,
  Cluster_RingHashLbConfig_HashFunction,
  Cluster_RingHashLbConfigSchema,
  type Cluster_RoundRobinLbConfig,
  Cluster_RoundRobinLbConfigSchema,
  Cluster_SlowStartConfigSchema,
} from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import type { BalancingPolicy } from "../cluster/balancing-plan.ts";
import type { SlowStart } from "../cluster/slow-start.ts";
import { at, type FieldRule, refuse, refuseOthers } from "./refuse.ts";

/** The policies that this proxy has. */
export type PolicyKind = BalancingPolicy["kind"];

/** The options of any policy; which ones they are was checked by whoever calls. */
type Options = Cluster["lbConfig"]["value"];

/** Envoy's defaults. */
const DEFAULT_CHOICE_COUNT = 2;
const DEFAULT_BIAS = 1;
const DEFAULT_MINIMUM_RING_SIZE = 1024;
const DEFAULT_MAXIMUM_RING_SIZE = 8_388_608;
const DEFAULT_TABLE_SIZE = 65_537;
const DEFAULT_LEAST_PERCENT = 10;

/** What is said of each field of `RingHashLbConfig`; any other is refused. */
export const ringHashRules: Readonly<Record<string, FieldRule>> = {
  minimum_ring_size: "accepted",
  maximum_ring_size: "accepted",
  hash_function: { only: Cluster_RingHashLbConfig_HashFunction.XX_HASH, hint: "use XX_HASH" },
};

/** The same of `LeastRequestLbConfig`. */
export const leastRequestRules: Readonly<Record<string, FieldRule>> = {
  choice_count: "accepted",
  active_request_bias: "accepted",
  slow_start_config: "accepted",
};

/** Reads the options that stand beside `lb_policy`, for each policy. */
export const policyReaders: {
  readonly [Kind in PolicyKind]: (options: Options, path: string) => BalancingPolicy;
} = {
  ROUND_ROBIN(options, path) {
    const config = options as Cluster_RoundRobinLbConfig | undefined;
    if (config === undefined) return { kind: "ROUND_ROBIN", slowStart: undefined };
    refuseOthers(Cluster_RoundRobinLbConfigSchema, config, path, { slow_start_config: "accepted" });
    return { kind: "ROUND_ROBIN", slowStart: readLegacySlowStart(config, path) };
  },

  LEAST_REQUEST(options, path) {
    const config = options as Cluster_LeastRequestLbConfig | undefined;
    if (config === undefined) return toLeastRequest({});
    refuseOthers(Cluster_LeastRequestLbConfigSchema, config, path, leastRequestRules);
    return toLeastRequest({ ...config, slowStart: readLegacySlowStart(config, path) });
  },

  RANDOM: () => ({ kind: "RANDOM" }),

  RING_HASH(options, path) {
    const config = options as Cluster_RingHashLbConfig | undefined;
    if (config === undefined) return toRingHash({}, path);
    refuseOthers(Cluster_RingHashLbConfigSchema, config, path, ringHashRules);
    return toRingHash(config, path);
  },

  MAGLEV(options, path) {
    const config = options as Cluster_MaglevLbConfig | undefined;
    if (config !== undefined) {
      refuseOthers(Cluster_MaglevLbConfigSchema, config, path, { table_size: "accepted" });
    }
    return toMaglev(config?.tableSize, path);
  },
};

/** A duration, a number and a percentage as Envoy's two forms of slow start have them. */
interface SlowStartValues {
  readonly slowStartWindow?: Parameters<typeof durationMs>[0] | undefined;
  readonly aggression?: { readonly defaultValue: number } | undefined;
  readonly minWeightPercent?: { readonly value: number } | undefined;
}

/** Makes slow start of what either of Envoy's forms says; without a window there is none. */
export function toSlowStart(values: SlowStartValues | undefined, path: string): SlowStart | undefined {
  const windowMs = values?.slowStartWindow === undefined ? 0 : durationMs(values.slowStartWindow);
  if (windowMs <= 0) return undefined;
  const aggression = values?.aggression?.defaultValue ?? 1;
  if (!(aggression > 0)) {
    refuse("MSM_CONFIG_INVALID", at(path, "aggression.default_value"), "must be above 0");
  }
  return {
    windowMs,
    aggression,
    leastFactor: (values?.minWeightPercent?.value ?? DEFAULT_LEAST_PERCENT) / 100,
  };
}

/** Makes LEAST_REQUEST of what either of Envoy's forms says. */
export function toLeastRequest(values: {
  readonly choiceCount?: number | undefined;
  readonly activeRequestBias?: { readonly defaultValue: number } | undefined;
  readonly slowStart?: SlowStart | undefined;
}): BalancingPolicy {
  return {
    kind: "LEAST_REQUEST",
    choiceCount: values.choiceCount ?? DEFAULT_CHOICE_COUNT,
    // Envoy takes a negative bias for 0.
    activeRequestBias: Math.max(0, values.activeRequestBias?.defaultValue ?? DEFAULT_BIAS),
    slowStart: values.slowStart,
  };
}

/** Makes RING_HASH of what either of Envoy's forms says. */
export function toRingHash(
  values: { readonly minimumRingSize?: bigint | undefined; readonly maximumRingSize?: bigint | undefined },
  path: string,
): BalancingPolicy {
  const minimumRingSize = Number(values.minimumRingSize ?? DEFAULT_MINIMUM_RING_SIZE);
  const maximumRingSize = Number(values.maximumRingSize ?? DEFAULT_MAXIMUM_RING_SIZE);
  if (minimumRingSize > maximumRingSize) {
    refuse("MSM_CONFIG_INVALID", at(path, "minimum_ring_size"), "must not be above maximum_ring_size");
  }
  return { kind: "RING_HASH", minimumRingSize: Math.max(1, minimumRingSize), maximumRingSize };
}

/** Makes MAGLEV of what either of Envoy's forms says. */
export function toMaglev(tableSize: bigint | undefined, path: string): BalancingPolicy {
  const size = Number(tableSize ?? DEFAULT_TABLE_SIZE);
  if (!isPrime(size)) {
    refuse(
      "MSM_CONFIG_INVALID",
      at(path, "table_size"),
      `must be a prime number, such as ${DEFAULT_TABLE_SIZE}`,
    );
  }
  return { kind: "MAGLEV", tableSize: size };
}

function readLegacySlowStart(
  config: Cluster_RoundRobinLbConfig | Cluster_LeastRequestLbConfig,
  path: string,
): SlowStart | undefined {
  const field = at(path, "slow_start_config");
  if (config.slowStartConfig === undefined) return undefined;
  refuseOthers(Cluster_SlowStartConfigSchema, config.slowStartConfig, field, {
    slow_start_window: "accepted",
    aggression: "accepted",
    min_weight_percent: "accepted",
  });
  return toSlowStart(config.slowStartConfig, field);
}

function isPrime(number: number): boolean {
  if (number < 2) return false;
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false;
  return true;
}
