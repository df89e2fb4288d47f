// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Any, Duration } from "@bufbuild/protobuf/wkt";
import {
  type UdpSocketConfig,
  UdpSocketConfigSchema,
} from "@msm/xds-protos/envoy/config/core/v3/udp_socket_config_pb.js";
import {
  type UdpProxyConfig,
  type UdpProxyConfig_HashPolicy,
  UdpProxyConfig_HashPolicySchema,
  type UdpProxyConfig_SessionFilter,
  UdpProxyConfig_SessionFilterSchema,
  UdpProxyConfigSchema,
} from "@msm/xds-protos/envoy/extensions/filters/udp/udp_proxy/v3/udp_proxy_pb.js";
import type { SessionRouting } from "../cluster/session-rule.ts";
import type { HashPolicy } from "../plan.ts";
import { type FilterUse, readFilterUse } from "./read-filter-use.ts";
import { readSessionRouting } from "./read-session-routing.ts";
import { at, type FieldRule, onlyFalse, refuse, refuseOthers } from "./refuse.ts";
import { unpack } from "./unpack.ts";

/** What a `udp_proxy` says. */
export interface UdpProxy extends SessionRouting {
  readonly statPrefix: string;
  readonly hashPolicy?: HashPolicy;
  readonly idleTimeoutMs: number;
  readonly filters: readonly FilterUse[];
  /** `max_rx_datagram_size` for what endpoints send, where it was set. */
  readonly upstreamMaxRxDatagramBytes: number | undefined;
}

/** Envoy's default for `idle_timeout` of udp_proxy. */
const DEFAULT_IDLE_TIMEOUT_MS = 60_000;
/** The longest delay of a timer of this platform: 2^31 - 1 ms, 24 days. */
const MAX_IDLE_TIMEOUT_MS = 2_147_483_647;

/** What is said of each field of `UdpProxyConfig`; any other is refused. */
export const udpProxyRules: Readonly<Record<string, FieldRule>> = {
  stat_prefix: "accepted",
  cluster: "accepted",
  matcher: "accepted",
  idle_timeout: "accepted",
  session_filters: "accepted",
  upstream_socket_config: "accepted",
  hash_policies: "accepted",
  use_original_src_ip: onlyFalse,
  use_per_packet_load_balancing: onlyFalse,
};

/** Reads an `Any` that must hold a `UdpProxyConfig`. Pure. Throws a `ConfigError`. */
export function readUdpProxy(any: Any | undefined, path: string): UdpProxy {
  const config = unpack(UdpProxyConfigSchema, any, path);
  refuseOthers(UdpProxyConfigSchema, config, path, udpProxyRules);
  const upstreamPath = at(path, "upstream_socket_config");
  const hashPolicy = readHashPolicy(config.hashPolicies, at(path, "hash_policies"));
  return {
    statPrefix: config.statPrefix,
    ...readRouting(config, path),
    ...(hashPolicy === undefined ? {} : { hashPolicy }),
    idleTimeoutMs: readIdleTimeout(config.idleTimeout, at(path, "idle_timeout")),
    filters: readFilters(config.sessionFilters, at(path, "session_filters")),
    upstreamMaxRxDatagramBytes: readSocketConfig(config.upstreamSocketConfig, upstreamPath)
      .maxRxDatagramBytes,
  };
}

/** Reads a `UdpSocketConfig`; what is not set is undefined. */
export function readSocketConfig(
  config: UdpSocketConfig | undefined,
  path: string,
): { readonly maxRxDatagramBytes: number | undefined; readonly preferGro: boolean | undefined } {
  if (config === undefined) return { maxRxDatagramBytes: undefined, preferGro: undefined };
  refuseOthers(UdpSocketConfigSchema, config, path, {
    max_rx_datagram_size: "accepted",
    prefer_gro: "accepted",
  });
  const size = config.maxRxDatagramSize;
  return { maxRxDatagramBytes: size === undefined ? undefined : Number(size), preferGro: config.preferGro };
}

function readRouting(config: UdpProxyConfig, path: string): SessionRouting {
  const route = config.routeSpecifier;
  if (route.case === "cluster") return { cluster: route.value };
  if (route.case === "matcher") return readSessionRouting(route.value, at(path, "matcher"));
  return refuse("MSM_CONFIG_MISSING", at(path, "matcher"), "is needed; it names the cluster");
}

/** Under policies that hash nothing it changes nothing, in Envoy as here: a session keeps its endpoint anyway. */
function readHashPolicy(
  policies: readonly UdpProxyConfig_HashPolicy[],
  path: string,
): HashPolicy | undefined {
  const [policy] = policies;
  if (policy === undefined) return undefined;
  refuseOthers(UdpProxyConfig_HashPolicySchema, policy, `${path}[0]`, {
    source_ip: "accepted",
    key: "accepted",
  });
  const { case: kind, value } = policy.policySpecifier;
  return kind === "key" ? { kind: "KEY", key: value } : { kind: "SOURCE_IP" };
}

function readIdleTimeout(timeout: Duration | undefined, path: string): number {
  if (timeout === undefined) return DEFAULT_IDLE_TIMEOUT_MS;
  const milliseconds = Number(timeout.seconds) * 1000 + timeout.nanos / 1e6;
  if (!(milliseconds >= 1 && milliseconds <= MAX_IDLE_TIMEOUT_MS)) {
    refuse("MSM_CONFIG_INVALID", path, "must be between 0.001s and 2147483s");
  }
  return milliseconds;
}

function readFilters(filters: readonly UdpProxyConfig_SessionFilter[], path: string): readonly FilterUse[] {
  const names = new Set<string>();
  return filters.map((filter, index) => {
    const filterPath = `${path}[${index}]`;
    if (names.has(filter.name)) {
      refuse(
        "MSM_LISTENER_FILTERS",
        at(filterPath, "name"),
        `"${filter.name}" is in the chain twice; rename one`,
      );
    }
    names.add(filter.name);
    refuseOthers(UdpProxyConfig_SessionFilterSchema, filter, filterPath, {
      name: "accepted",
      typed_config: "accepted",
      config_discovery: "accepted",
    });
    return readFilterUse(filter, "SESSION", filterPath);
  });
}
