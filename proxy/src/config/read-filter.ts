// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import {
  type Any,
  BytesValueSchema,
  StringValueSchema,
  type Struct,
  StructSchema,
} from "@bufbuild/protobuf/wkt";
import { durationMs, toJsonString } from "@msm/xds-protos";
import {
  FailurePolicy as EnvoyFailurePolicy,
  type PluginConfig,
  PluginConfigSchema,
  VmConfigSchema,
} from "@msm/xds-protos/envoy/extensions/wasm/v3/wasm_pb.js";
import type { FailurePolicy } from "../plan.ts";
import type { FilterOptions, FilterTrust, ReloadPolicy } from "../wasm/index.ts";
import { type FilterCode, readFilterCode } from "./read-filter-code.ts";
import { at, refuse, refuseOthers } from "./refuse.ts";
import { typeNameOf, unpack } from "./unpack.ts";

/** A filter as configured, before its code is read. */
export interface FilterConfig {
  readonly rootId: string;
  readonly vmId: string;
  readonly code: FilterCode;
  /** As what the code runs; for a built-in filter, which may be a script, its own list says that. */
  readonly trust: FilterTrust;
  readonly configuration: Uint8Array;
  readonly vmConfiguration: Uint8Array;
  readonly failurePolicy: FailurePolicy;
  /** Reloading and capabilities, where they are set. */
  readonly options: FilterOptions;
  /** Path of the `PluginConfig` in its resource, for what may be wrong with the code itself. */
  readonly field: string;
}

const DEFAULT_RELOAD_MS = 1000;

/** Reads a session filter: an `Any` that must hold a bare `envoy.extensions.wasm.v3.PluginConfig`. Pure. */
export function readFilter(any: Any | undefined, path: string): FilterConfig {
  const plugin = unpack(PluginConfigSchema, any, path);
  refuseOthers(PluginConfigSchema, plugin, path, {
    name: "accepted",
    root_id: "accepted",
    vm_config: "accepted",
    configuration: "accepted",
    fail_open: "accepted",
    failure_policy: "accepted",
    reload_config: "accepted",
    capability_restriction_config: "accepted",
  });
  const vmPath = at(path, "vm_config");
  const vm = plugin.vm.value;
  if (vm === undefined) refuse("MSM_CONFIG_MISSING", vmPath, "is needed; it says where the code is");
  refuseOthers(VmConfigSchema, vm, vmPath, {
    vm_id: "accepted",
    runtime: "accepted",
    code: "accepted",
    configuration: "accepted",
    // A hint: it changes nothing where code is always compiled here.
    allow_precompiled: "accepted",
    nack_on_code_cache_miss: "accepted",
  });
  return {
    rootId: plugin.rootId,
    vmId: vm.vmId,
    ...readFilterCode(vm, vmPath),
    configuration: readConfiguration(plugin.configuration, at(path, "configuration")),
    vmConfiguration: readConfiguration(vm.configuration, at(vmPath, "configuration")),
    failurePolicy: readFailurePolicy(plugin, path),
    options: readOptions(plugin, path),
    field: path,
  };
}

/** What the filter gets to read: texts and bytes as they are, a `Struct` as JSON, as Envoy does. */
function readConfiguration(any: Any | undefined, path: string): Uint8Array {
  if (any === undefined) return new Uint8Array();
  switch (typeNameOf(any.typeUrl)) {
    case StringValueSchema.typeName:
      return new TextEncoder().encode(unpack(StringValueSchema, any, path).value);
    case BytesValueSchema.typeName:
      return unpack(BytesValueSchema, any, path).value;
    case StructSchema.typeName:
      return new TextEncoder().encode(structText(unpack(StructSchema, any, path), path));
    default:
      return refuse(
        "MSM_FILTER_CONFIGURATION_TYPE",
        path,
        `is of type "${any.typeUrl}"; use google.protobuf.StringValue, BytesValue or Struct`,
      );
  }
}

function structText(struct: Struct, path: string): string {
  try {
    return toJsonString(StructSchema, struct);
  } catch (error) {
    // A value without a kind, NaN or infinity: decodable, but nothing that JSON has.
    const reason = error instanceof Error ? error.message : String(error);
    return refuse("MSM_CONFIG_UNDECODABLE", path, `cannot be written as JSON: ${reason}`);
  }
}

function readFailurePolicy(plugin: PluginConfig, pluginPath: string): FailurePolicy {
  const path = at(pluginPath, "failure_policy");
  if (plugin.failOpen && plugin.failurePolicy !== EnvoyFailurePolicy.UNSPECIFIED) {
    refuse("MSM_FILTER_FAILURE_POLICY", path, "cannot be set beside fail_open; remove fail_open");
  }
  switch (plugin.failurePolicy) {
    case EnvoyFailurePolicy.UNSPECIFIED:
      return plugin.failOpen ? "FAIL_OPEN" : "FAIL_CLOSED";
    case EnvoyFailurePolicy.FAIL_CLOSED:
    case EnvoyFailurePolicy.FAIL_RELOAD:
      // Until it is back, a filter that is to be reloaded holds datagrams back.
      return "FAIL_CLOSED";
    case EnvoyFailurePolicy.FAIL_OPEN:
      return "FAIL_OPEN";
    default:
      return refuse(
        "MSM_FILTER_FAILURE_POLICY",
        path,
        "is not honoured; use FAIL_CLOSED, FAIL_OPEN or FAIL_RELOAD",
      );
  }
}

function readOptions(plugin: PluginConfig, path: string): FilterOptions {
  const isReloaded = plugin.failurePolicy === EnvoyFailurePolicy.FAIL_RELOAD;
  const capabilities = Object.keys(plugin.capabilityRestrictionConfig?.allowedCapabilities ?? {}).sort();
  return {
    ...(isReloaded ? { reload: readReload(plugin, path) } : {}),
    ...(capabilities.length > 0 ? { capabilities } : {}),
  };
}

/** Envoy's defaults: one second, and ten times the first wait. */
function readReload(plugin: PluginConfig, path: string): ReloadPolicy {
  const backoff = plugin.reloadConfig?.backoff;
  const baseMs = backoff?.baseInterval === undefined ? DEFAULT_RELOAD_MS : durationMs(backoff.baseInterval);
  const maxMs = backoff?.maxInterval === undefined ? 10 * baseMs : durationMs(backoff.maxInterval);
  if (baseMs <= 0 || maxMs < baseMs) {
    const problem = "base_interval must be above 0 and max_interval no less";
    refuse("MSM_CONFIG_INVALID", at(path, "reload_config.backoff"), problem);
  }
  return { baseMs, maxMs };
}
