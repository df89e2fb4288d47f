// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Any } from "@bufbuild/protobuf/wkt";
import {
  type ExtensionConfigSource,
  ExtensionConfigSourceSchema,
} from "@msm/xds-protos/envoy/config/core/v3/config_source_pb.js";
import { PluginConfigSchema } from "@msm/xds-protos/envoy/extensions/wasm/v3/wasm_pb.js";
import { checkAwaitedSource } from "./read-config-source.ts";
import { type FilterConfig, readFilter } from "./read-filter.ts";
import { at, refuse, refuseOthers } from "./refuse.ts";
import { typeNameOf } from "./unpack.ts";

/** Where a filter of a listener runs: among its listener filters or among the session filters of its udp_proxy. */
export type FilterStage = "LISTENER" | "SESSION";

/** A filter in its place in a listener: configured there, or named there and discovered by ECDS. */
export type FilterUse =
  | {
      readonly kind: "inline";
      readonly stage: FilterStage;
      readonly name: string;
      readonly config: FilterConfig;
    }
  | {
      readonly kind: "discovered";
      readonly stage: FilterStage;
      readonly name: string;
      readonly fallback: FilterConfig | undefined;
    };

/** The part that Envoy's listener filters and session filters have in common. */
interface PlacedFilter {
  readonly name: string;
  readonly configType:
    | { readonly case: "typedConfig"; readonly value: Any }
    | { readonly case: "configDiscovery"; readonly value: ExtensionConfigSource }
    | { readonly case: undefined; readonly value?: undefined };
}

/** Reads a filter in its place, other fields of which the caller has checked. Pure. Throws a `ConfigError`. */
export function readFilterUse(
  { name, configType }: PlacedFilter,
  stage: FilterStage,
  path: string,
): FilterUse {
  if (configType.case !== "configDiscovery") {
    return { kind: "inline", stage, name, config: readFilter(configType.value, at(path, "typed_config")) };
  }
  const fallback = readFallback(configType.value, at(path, "config_discovery"));
  return { kind: "discovered", stage, name, fallback };
}

/** Checks the source of a discovered filter; returns the configuration that stands in until it comes. */
function readFallback(discovery: ExtensionConfigSource, path: string): FilterConfig | undefined {
  refuseOthers(ExtensionConfigSourceSchema, discovery, path, {
    config_source: "accepted",
    default_config: "accepted",
    apply_default_config_without_warming: "accepted",
    type_urls: "accepted",
  });
  checkAwaitedSource(discovery.configSource, at(path, "config_source"));
  const types = discovery.typeUrls.map(typeNameOf);
  if (!types.includes(PluginConfigSchema.typeName)) {
    const problem = `must name type.googleapis.com/${PluginConfigSchema.typeName}, the only type of filter here`;
    refuse("MSM_CONFIG_TYPE", at(path, "type_urls"), problem);
  }
  if (discovery.defaultConfig === undefined) return undefined;
  if (!discovery.applyDefaultConfigWithoutWarming) {
    const problem = "must be true where default_config is set; it is in force until the filter is discovered";
    refuse("MSM_CONFIG_UNSUPPORTED_VALUE", at(path, "apply_default_config_without_warming"), problem);
  }
  return readFilter(discovery.defaultConfig, at(path, "default_config"));
}
