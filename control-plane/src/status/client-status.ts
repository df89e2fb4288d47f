// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { create, timestampFromMs, typeUrls } from "@msm/xds-protos";
import { ClientResourceStatus } from "@msm/xds-protos/envoy/admin/v3/config_dump_shared_pb.js";
import {
  type ClientConfig,
  ClientConfigSchema,
  ConfigStatus,
} from "@msm/xds-protos/envoy/service/status/v3/csds_pb.js";
import { resourcesOf } from "../snapshot/snapshot.ts";
import type { SnapshotCache } from "../snapshot/snapshot-cache.ts";
import { shownResource } from "./config-dump.ts";
import type { ProxyStatus } from "./proxy-registry.ts";
import { type ResourceState, resourceStatus, type SyncStatus, type TypeState } from "./type-state.ts";

/**
 * A proxy's stream as CSDS describes it: every resource that it was sent, with its content unless `excludesContent`, and
 * the types that it asked for in vain. The content of a secret is never shown.
 */
export function clientStatus(
  { info, node, types }: ProxyStatus,
  cache: SnapshotCache,
  excludesContent: boolean,
): ClientConfig {
  const snapshot = cache.get(info.group, info.nodeId);
  const contentOf = (typeUrl: string, name: string, version: string) => {
    const entry = snapshot && resourcesOf(snapshot, typeUrl).get(name);
    const isShown = !excludesContent && typeUrl !== typeUrls.secret && entry?.version === version;
    return isShown ? { xdsConfig: shownResource(entry) } : {};
  };
  const genericXdsConfigs = [...types].flatMap(([typeUrl, state]) => {
    if (state.resources.size === 0) return [typeStatus(typeUrl, state)];
    return [...state.resources].map(([name, resource]) => {
      const shown = resource.sent === "" ? (resource.taken ?? "") : resource.sent;
      return { ...resourceConfig(typeUrl, name, resource), ...contentOf(typeUrl, name, shown) };
    });
  });
  return create(ClientConfigSchema, { node, genericXdsConfigs, clientScope: info.peer });
}

/** A proxy's stream as `istioctl proxy-status` reads it: one line for each type, and of the node what is displayed. */
export function syncStatus({ info, node, types }: ProxyStatus): ClientConfig {
  // `sidecar~10.0.0.1~pod.namespace~namespace.svc.cluster.local` is shown as `pod.namespace`.
  const parts = info.nodeId.split("~");
  const id = parts.length === 4 ? parts[2]! : info.nodeId;
  const shown = ["CLUSTER_ID", "NAMESPACE", "ISTIO_VERSION"].flatMap((key) => {
    const value = node.metadata?.[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  const genericXdsConfigs = [...types]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([typeUrl, state]) => typeStatus(typeUrl, state));
  return create(ClientConfigSchema, { node: { id, metadata: Object.fromEntries(shown) }, genericXdsConfigs });
}

function typeStatus(typeUrl: string, state: TypeState) {
  const { sent, error, status } = state.sync;
  return {
    typeUrl,
    versionInfo: sent,
    configStatus: statusCodes[status],
    lastUpdated: timestampFromMs(state.updatedAtMs),
    ...(error === "" ? {} : { errorState: { details: error } }),
  };
}

function resourceConfig(typeUrl: string, name: string, state: ResourceState) {
  const { sent, taken = "", refusal, updatedAtMs } = state;
  const status = resourceStatus(state);
  const lastUpdated = timestampFromMs(updatedAtMs);
  return {
    typeUrl,
    name,
    versionInfo: sent === "" ? taken : sent,
    configStatus: statusCodes[status],
    clientStatus: clientStatuses[status],
    lastUpdated,
    ...(status === "ERROR"
      ? {
          errorState: {
            details: refusal!.error,
            versionInfo: refusal!.version,
            lastUpdateAttempt: lastUpdated,
          },
        }
      : {}),
  };
}

const statusCodes: Readonly<Record<SyncStatus, ConfigStatus>> = {
  NOT_SENT: ConfigStatus.NOT_SENT,
  SYNCED: ConfigStatus.SYNCED,
  STALE: ConfigStatus.STALE,
  ERROR: ConfigStatus.ERROR,
};

const clientStatuses: Readonly<Record<SyncStatus, ClientResourceStatus>> = {
  NOT_SENT: ClientResourceStatus.REQUESTED,
  SYNCED: ClientResourceStatus.ACKED,
  STALE: ClientResourceStatus.REQUESTED,
  ERROR: ClientResourceStatus.NACKED,
};
