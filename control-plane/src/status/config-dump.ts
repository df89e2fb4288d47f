// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import {
  AnySchema,
  create,
  fromBinary,
  type JsonObject,
  packAny,
  registry,
  toBinary,
  toJson,
  typeUrls,
  unpackAny,
} from "@msm/xds-protos";
import { ConfigDumpSchema } from "@msm/xds-protos/envoy/admin/v3/config_dump_pb.js";
import {
  ClustersConfigDumpSchema,
  EcdsConfigDumpSchema,
  EndpointsConfigDumpSchema,
  ListenersConfigDumpSchema,
} from "@msm/xds-protos/envoy/admin/v3/config_dump_shared_pb.js";
import {
  type TypedExtensionConfig,
  TypedExtensionConfigSchema,
} from "@msm/xds-protos/envoy/config/core/v3/extension_pb.js";
import { PluginConfigSchema } from "@msm/xds-protos/envoy/extensions/wasm/v3/wasm_pb.js";
import type { ResourceEntry } from "../snapshot/resource-entry.ts";
import { resourcesOf, type Snapshot } from "../snapshot/snapshot.ts";

/**
 * A snapshot as the JSON of `envoy.admin.v3.ConfigDump`, with the protos' own field names. The bytes of modules are
 * replaced by their length and digest.
 */
export function configDump(snapshot: Snapshot): JsonObject {
  const dynamic = (typeUrl: string) => [...resourcesOf(snapshot, typeUrl).values()];
  const clusters = create(ClustersConfigDumpSchema, {
    dynamicActiveClusters: dynamic(typeUrls.cluster).map((entry) => ({
      versionInfo: entry.version,
      cluster: decoded(entry),
    })),
  });
  const endpoints = create(EndpointsConfigDumpSchema, {
    dynamicEndpointConfigs: dynamic(typeUrls.clusterLoadAssignment).map((entry) => ({
      versionInfo: entry.version,
      endpointConfig: decoded(entry),
    })),
  });
  const listeners = create(ListenersConfigDumpSchema, {
    dynamicListeners: dynamic(typeUrls.listener).map((entry) => ({
      name: entry.name,
      activeState: { versionInfo: entry.version, listener: decoded(entry) },
    })),
  });
  const filters = create(EcdsConfigDumpSchema, {
    ecdsFilters: dynamic(typeUrls.typedExtensionConfig).map((entry) => ({
      versionInfo: entry.version,
      ecdsFilter: packAny(TypedExtensionConfigSchema, withoutModule(entry)),
    })),
  });
  const dump = create(ConfigDumpSchema, {
    configs: [
      packAny(ClustersConfigDumpSchema, clusters),
      packAny(EndpointsConfigDumpSchema, endpoints),
      packAny(ListenersConfigDumpSchema, listeners),
      packAny(EcdsConfigDumpSchema, filters),
    ],
  });
  return toJson(ConfigDumpSchema, dump, { registry, useProtoFieldName: true }) as JsonObject;
}

function decoded(entry: ResourceEntry) {
  return fromBinary(AnySchema, entry.anyBytes);
}

function withoutModule(entry: ResourceEntry): TypedExtensionConfig {
  // Entries of this type are made from this message alone.
  const filter = unpackAny(decoded(entry)) as TypedExtensionConfig;
  const plugin = fromBinary(PluginConfigSchema, filter.typedConfig!.value);
  const code = plugin.vm.value?.code?.specifier;
  if (code?.case !== "local" || code.value.specifier.case !== "inlineBytes") return filter;
  const bytes = code.value.specifier.value;
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  code.value.specifier = { case: "inlineString", value: `<${bytes.length} bytes, sha256 ${sha256}>` };
  return { ...filter, typedConfig: { ...filter.typedConfig!, value: toBinary(PluginConfigSchema, plugin) } };
}
