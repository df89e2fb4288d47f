// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { ResourceType } from "../config/resource.ts";
import type { Counter, Gauge, StatsRegistry } from "../stats/registry.ts";

/** Envoy's counters of one kind of subscription. */
export interface SubscriptionStats {
  readonly attempt: Counter;
  readonly success: Counter;
  readonly failure: Counter;
  readonly rejected: Counter;
}

/** The statistics of the xDS client, by Envoy's names. */
export interface XdsStats {
  readonly connected: Gauge;
  of(type: ResourceType): SubscriptionStats;
}

/**
 * Where Envoy counts updates. It counts those of EDS by cluster and those of ECDS by filter; they share streams
 * here, so there is one number each.
 */
const SCOPES: Readonly<Record<ResourceType, string>> = {
  listener: "listener_manager.lds",
  cluster: "cluster_manager.cds",
  clusterLoadAssignment: "cluster_manager.eds",
  secret: "sds",
  routeConfiguration: "rds",
  typedExtensionConfig: "extension_config_discovery.udp_session_filter",
};

/** Registers the statistics of the xDS client; all of them show from the start. */
export function xdsStats(registry: StatsRegistry): XdsStats {
  const connected = registry.gauge({
    name: "control_plane.connected_state",
    help: "1 while the control plane is connected, 0 while it is not",
  });
  connected.set(0);
  const byType = Object.fromEntries(
    Object.entries(SCOPES).map(([type, scope]) => [type, subscriptionStats(registry, scope)]),
  ) as Readonly<Record<ResourceType, SubscriptionStats>>;
  return { connected, of: (type) => byType[type] };
}

function subscriptionStats(registry: StatsRegistry, scope: string): SubscriptionStats {
  const counter = (name: string, help: string) => registry.counter({ name: `${scope}.${name}`, help });
  return {
    attempt: counter("update_attempt", "Updates that were tried, responses and lost streams alike"),
    success: counter("update_success", "Responses that were accepted as a whole"),
    failure: counter("update_failure", "Streams that were lost or could not be opened"),
    rejected: counter("update_rejected", "Responses of which at least one resource was refused"),
  };
}
