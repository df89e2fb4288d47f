// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { type Any, AnySchema, create, packAny, registry, toJson } from "@msm/xds-protos";
import { ClientConfigSchema } from "@msm/xds-protos/envoy/service/status/v3/csds_pb.js";
import type { SnapshotCache } from "../snapshot/snapshot-cache.ts";
import { syncStatus } from "../status/client-status.ts";
import { configDumpMessage } from "../status/config-dump.ts";
import type { ProxyRegistry, ProxyStatus } from "../status/proxy-registry.ts";
import type { DebugTypes } from "./stream-context.ts";

const DEBUG = "istio.io/debug";
const SYNCZ = `${DEBUG}/syncz`;
const CONFIG_DUMP = `${DEBUG}/config_dump`;

/**
 * The questions that `istioctl proxy-status`, `istioctl proxy-status <pod>` and `istioctl experimental internal-debug`
 * ask on an ADS stream.
 */
export function istioDebug(proxies: ProxyRegistry, cache: SnapshotCache): DebugTypes {
  return {
    has: (typeUrl) => typeUrl === SYNCZ || typeUrl === CONFIG_DUMP || typeUrl === DEBUG,
    answer(typeUrl, names) {
      if (typeUrl === SYNCZ) {
        return proxies.all().map((proxy) => ({
          ...packAny(ClientConfigSchema, syncStatus(proxy)),
          // istioctl asks for this type and takes no other.
          typeUrl: "type.googleapis.com/envoy.service.status.v3.ClientConfig",
        }));
      }
      if (typeUrl === CONFIG_DUMP) return configDumpOf(names[0] ?? "", proxies, cache);
      return [rawJson(internalDebug(names[0] ?? "", proxies, cache))];
    },
  };
}

/** The sections of what a proxy is served; none when it is not connected. */
function configDumpOf(proxyId: string, proxies: ProxyRegistry, cache: SnapshotCache): readonly Any[] {
  const proxy = proxies.all().find((candidate) => isCalled(candidate, proxyId));
  const snapshot = proxy === undefined ? undefined : cache.get(proxy.info.group, proxy.info.nodeId);
  return snapshot === undefined ? [] : configDumpMessage(snapshot).configs;
}

function internalDebug(question: string, proxies: ProxyRegistry, cache: SnapshotCache): unknown {
  const [path, query = ""] = question.split("?", 2);
  const asJson = (any: Any): unknown => toJson(AnySchema, any, { registry, useProtoFieldName: true });
  if (path === "syncz")
    return proxies.all().map((proxy) => asJson(packAny(ClientConfigSchema, syncStatus(proxy))));
  if (path === "connections") {
    return { totalClients: proxies.size, clients: proxies.all().map(({ info }) => info) };
  }
  if (path === "config_dump") {
    const proxyId = new URLSearchParams(query).get("proxyID") ?? "";
    return { configs: configDumpOf(proxyId, proxies, cache).map(asJson) };
  }
  return { error: `there is no ${question}`, paths: ["syncz", "connections", "config_dump?proxyID=ID"] };
}

function isCalled(proxy: ProxyStatus, proxyId: string): boolean {
  return proxy.info.nodeId === proxyId || syncStatus(proxy).node?.id === proxyId;
}

// istioctl reads the bytes as they are.
function rawJson(value: unknown): Any {
  return create(AnySchema, { typeUrl: DEBUG, value: Buffer.from(JSON.stringify(value)) });
}
