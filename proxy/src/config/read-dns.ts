// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { durationMs } from "@msm/xds-protos";
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_DnsLookupFamily,
  Cluster_RefreshRateSchema,
} from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { CaresDnsResolverConfigSchema } from "@msm/xds-protos/envoy/extensions/network/dns_resolver/cares/v3/cares_dns_resolver_pb.js";
import type { DnsPlan } from "../cluster/discovery/dns-plan.ts";
import { formatAddress, readAddress } from "./read-address.ts";
import { type LoadAssignment, readLoadAssignment } from "./read-load-assignment.ts";
import { at, refuse, refuseOthers } from "./refuse.ts";
import { unpack } from "./unpack.ts";

/** A cluster whose endpoints have names. */
export interface NamedEndpoints {
  readonly kind: "dns";
  /** Nothing is planned of it: the names stand where addresses would, until they were looked up. */
  readonly assignment: LoadAssignment;
  readonly plan: DnsPlan;
}

/** Envoy's `dns_refresh_rate` where none is set. */
const DEFAULT_REFRESH_MS = 5000;
/** Envoy's `max_interval` where none is set, as a multiple of `base_interval`. */
const DEFAULT_BACK_OFF_FACTOR = 10;

const FAMILIES: Readonly<Record<Cluster_DnsLookupFamily, DnsPlan["family"]>> = {
  [Cluster_DnsLookupFamily.AUTO]: "AUTO",
  [Cluster_DnsLookupFamily.V4_ONLY]: "V4_ONLY",
  [Cluster_DnsLookupFamily.V6_ONLY]: "V6_ONLY",
  [Cluster_DnsLookupFamily.V4_PREFERRED]: "V4_PREFERRED",
  [Cluster_DnsLookupFamily.ALL]: "ALL",
};

/** Reads the endpoints of a cluster of type STRICT_DNS or LOGICAL_DNS. Pure. */
export function readDns(
  cluster: Cluster,
  type: Cluster_DiscoveryType.STRICT_DNS | Cluster_DiscoveryType.LOGICAL_DNS,
  path: string,
): NamedEndpoints {
  const assignmentPath = at(path, "load_assignment");
  if (cluster.loadAssignment === undefined) {
    refuse("MSM_CONFIG_MISSING", assignmentPath, "is needed for a cluster that is found by DNS");
  }
  const named = readLoadAssignment(cluster.loadAssignment, assignmentPath, "names");
  const kind = type === Cluster_DiscoveryType.STRICT_DNS ? "STRICT" : "LOGICAL";
  if (kind === "LOGICAL" && named.planned.length !== 1) {
    const problem = "must have exactly one endpoint for type LOGICAL_DNS; use STRICT_DNS for several";
    refuse("MSM_CLUSTER_DNS", assignmentPath, problem);
  }
  const refreshMs =
    cluster.dnsRefreshRate === undefined ? DEFAULT_REFRESH_MS : durationMs(cluster.dnsRefreshRate);
  return {
    kind: "dns",
    assignment: { ...named, planned: [] },
    plan: {
      kind,
      family: FAMILIES[cluster.dnsLookupFamily],
      refreshMs,
      isTtlRespected: cluster.respectDnsTtl,
      ...readBackOff(cluster, refreshMs, at(path, "dns_failure_refresh_rate")),
      servers: readServers(cluster, at(path, "typed_dns_resolver_config")),
      endpoints: named.planned,
    },
  };
}

/** Refuses what says how names are looked up where there are none. `dns_lookup_family` may stand anywhere. */
export function refuseDns(cluster: Cluster, path: string): void {
  const set = {
    dns_refresh_rate: cluster.dnsRefreshRate !== undefined,
    dns_failure_refresh_rate: cluster.dnsFailureRefreshRate !== undefined,
    respect_dns_ttl: cluster.respectDnsTtl,
    typed_dns_resolver_config: cluster.typedDnsResolverConfig !== undefined,
  };
  for (const [field, isSet] of Object.entries(set)) {
    if (isSet)
      refuse("MSM_CLUSTER_DNS", at(path, field), "is only for type STRICT_DNS and LOGICAL_DNS; remove it");
  }
}

function readBackOff(
  { dnsFailureRefreshRate: rate }: Cluster,
  refreshMs: number,
  path: string,
): Pick<DnsPlan, "failureBaseMs" | "failureMaxMs"> {
  if (rate === undefined) return { failureBaseMs: refreshMs, failureMaxMs: refreshMs };
  refuseOthers(Cluster_RefreshRateSchema, rate, path, {
    base_interval: "accepted",
    max_interval: "accepted",
  });
  // The rules of Envoy's API want a base.
  const failureBaseMs = durationMs(rate.baseInterval!);
  const { maxInterval } = rate;
  const failureMaxMs =
    maxInterval === undefined ? failureBaseMs * DEFAULT_BACK_OFF_FACTOR : durationMs(maxInterval);
  if (failureMaxMs < failureBaseMs) {
    refuse("MSM_CLUSTER_DNS", at(path, "max_interval"), "must not be less than base_interval");
  }
  return { failureBaseMs, failureMaxMs };
}

function readServers({ typedDnsResolverConfig: resolver }: Cluster, path: string): readonly string[] {
  if (resolver === undefined) return [];
  const configPath = at(path, "typed_config");
  const config = unpack(CaresDnsResolverConfigSchema, resolver.typedConfig, configPath);
  refuseOthers(CaresDnsResolverConfigSchema, config, configPath, { resolvers: "accepted" });
  return config.resolvers.map((address, index) =>
    formatAddress(readAddress(address, `${at(configPath, "resolvers")}[${index}]`)),
  );
}
