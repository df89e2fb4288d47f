// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { create, packAny, StringValueSchema } from "@msm/xds-protos";
import {
  type TypedExtensionConfig,
  TypedExtensionConfigSchema,
} from "@msm/xds-protos/envoy/config/core/v3/extension_pb.js";
import {
  FailurePolicy,
  type PluginConfig,
  PluginConfigSchema,
} from "@msm/xds-protos/envoy/extensions/wasm/v3/wasm_pb.js";
import type { FilterCode } from "../model/wasm-filter.ts";

/** What a filter's ECDS resource is made from. */
export interface FilterInput {
  readonly name: string;
  readonly code: FilterCode;
  /** Any JSON object; the filter reads it as text. */
  readonly config: object;
  readonly failurePolicy: "FailClosed" | "FailOpen";
}

/**
 * Makes the ECDS resource of a filter: a bare PluginConfig. A built-in filter is named by Envoy's `null` runtime,
 * whose code is the name of something that the proxy has already; a module is sent along.
 */
export function translateFilter(input: FilterInput): TypedExtensionConfig {
  const plugin = pluginConfig(input);
  return create(TypedExtensionConfigSchema, {
    name: input.name,
    typedConfig: packAny(PluginConfigSchema, plugin),
  });
}

/** Makes a filter's PluginConfig by itself, for messages that hold filters without ECDS. */
export function pluginConfig({ name, code, config, failurePolicy }: FilterInput): PluginConfig {
  const configuration = create(StringValueSchema, { value: JSON.stringify(config) });
  const isBuiltin = "builtin" in code;
  return create(PluginConfigSchema, {
    name,
    vm: {
      case: "vmConfig",
      value: {
        runtime: runtimeOf(code),
        code: {
          specifier: {
            case: "local",
            value: {
              specifier: isBuiltin
                ? { case: "inlineString", value: code.builtin }
                : { case: "inlineBytes", value: code.module.bytes },
            },
          },
        },
      },
    },
    configuration: packAny(StringValueSchema, configuration),
    failurePolicy: failurePolicy === "FailOpen" ? FailurePolicy.FAIL_OPEN : FailurePolicy.FAIL_CLOSED,
  });
}

function runtimeOf(code: FilterCode): string {
  if ("builtin" in code) return "envoy.wasm.runtime.null";
  return code.module.isScript ? "msm.runtime.quickjs" : "envoy.wasm.runtime.v8";
}
