// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import {
  type Any,
  AnySchema,
  create,
  fromBinary,
  isMessage,
  type JsonObject,
  packAny,
  registry,
  toJson,
  typeUrls,
  unpackAny,
} from "@msm/xds-protos";
import {
  type ConfigDump,
  ConfigDumpSchema,
  SecretsConfigDumpSchema,
} from "@msm/xds-protos/envoy/admin/v3/config_dump_pb.js";
import {
  ClustersConfigDumpSchema,
  EcdsConfigDumpSchema,
  EndpointsConfigDumpSchema,
  ListenersConfigDumpSchema,
  RoutesConfigDumpSchema,
} from "@msm/xds-protos/envoy/admin/v3/config_dump_shared_pb.js";
import { TypedExtensionConfigSchema } from "@msm/xds-protos/envoy/config/core/v3/extension_pb.js";
import { PluginConfigSchema } from "@msm/xds-protos/envoy/extensions/wasm/v3/wasm_pb.js";
import type { ResourceEntry } from "../snapshot/resource-entry.ts";
import { resourcesOf, type Snapshot } from "../snapshot/snapshot.ts";

/** A snapshot as the JSON of `envoy.admin.v3.ConfigDump`, with the protos' own field names. */
export function configDump(snapshot: Snapshot): JsonObject {
  const json = toJson(ConfigDumpSchema, configDumpMessage(snapshot), { registry, useProtoFieldName: true });
  return json as JsonObject;
}

/**
 * A snapshot as `envoy.admin.v3.ConfigDump`. The bytes of modules are replaced by their length and digest; of secrets
 * only the names are said.
 */
export function configDumpMessage(snapshot: Snapshot): ConfigDump {
  const all = (typeUrl: string) => [...resourcesOf(snapshot, typeUrl).values()];
  const described = (typeUrl: string) =>
    all(typeUrl).map((entry) => ({ entry, versionInfo: entry.version, content: shownResource(entry) }));
  const clusters = create(ClustersConfigDumpSchema, {
    dynamicActiveClusters: described(typeUrls.cluster).map(({ versionInfo, content }) => ({
      versionInfo,
      cluster: content,
    })),
  });
  const endpoints = create(EndpointsConfigDumpSchema, {
    dynamicEndpointConfigs: described(typeUrls.clusterLoadAssignment).map(({ versionInfo, content }) => ({
      versionInfo,
      endpointConfig: content,
    })),
  });
  const listeners = create(ListenersConfigDumpSchema, {
    dynamicListeners: described(typeUrls.listener).map(({ entry, versionInfo, content }) => ({
      name: entry.name,
      activeState: { versionInfo, listener: content },
    })),
  });
  const routes = create(RoutesConfigDumpSchema, {
    dynamicRouteConfigs: described(typeUrls.routeConfiguration).map(({ versionInfo, content }) => ({
      versionInfo,
      routeConfig: content,
    })),
  });
  const secrets = create(SecretsConfigDumpSchema, {
    dynamicActiveSecrets: all(typeUrls.secret).map(({ name, version }) => ({ name, versionInfo: version })),
  });
  const filters = create(EcdsConfigDumpSchema, {
    ecdsFilters: described(typeUrls.typedExtensionConfig).map(({ versionInfo, content }) => ({
      versionInfo,
      ecdsFilter: content,
    })),
  });
  return create(ConfigDumpSchema, {
    configs: [
      packAny(ClustersConfigDumpSchema, clusters),
      packAny(EndpointsConfigDumpSchema, endpoints),
      packAny(ListenersConfigDumpSchema, listeners),
      packAny(RoutesConfigDumpSchema, routes),
      packAny(SecretsConfigDumpSchema, secrets),
      packAny(EcdsConfigDumpSchema, filters),
    ],
  });
}

/** A resource as people may see it: without the bytes of a module, which nobody reads. */
export function shownResource(entry: ResourceEntry): Any {
  const resource = fromBinary(AnySchema, entry.anyBytes);
  if (entry.typeUrl !== typeUrls.typedExtensionConfig) return resource;
  const filter = unpackAny(resource);
  const config = isMessage(filter, TypedExtensionConfigSchema) ? filter : undefined;
  const plugin = config?.typedConfig === undefined ? undefined : unpackAny(config.typedConfig);
  if (config === undefined || !isMessage(plugin, PluginConfigSchema)) return resource;
  const code = plugin.vm.value?.code?.specifier;
  if (code?.case !== "local" || code.value.specifier.case !== "inlineBytes") return resource;
  const bytes = code.value.specifier.value;
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  code.value.specifier = { case: "inlineString", value: `<${bytes.length} bytes, sha256 ${sha256}>` };
  return packAny(TypedExtensionConfigSchema, { ...config, typedConfig: packAny(PluginConfigSchema, plugin) });
}
