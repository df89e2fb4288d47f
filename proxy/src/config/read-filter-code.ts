// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { durationMs } from "@msm/xds-protos";
import {
  type DataSource,
  DataSourceSchema,
  type RemoteDataSource,
} from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import type { VmConfig } from "@msm/xds-protos/envoy/extensions/wasm/v3/wasm_pb.js";
import type { RemoteCode } from "../code/remote-code.ts";
import type { FilterTrust } from "../wasm/index.ts";
import { at, refuse, refuseOthers } from "./refuse.ts";

/** Where the code of a filter comes from. */
export type FilterCode =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "builtin"; readonly name: string }
  | { readonly kind: "remote"; readonly code: RemoteCode };

/** The runtime name that stands for filters that come with the proxy. */
const BUILTIN_RUNTIME = "envoy.wasm.runtime.null";

/** What the code runs on, by the names of runtimes. */
const RUNTIMES: ReadonlyMap<string, FilterTrust> = new Map([
  ["", "plugin"],
  ["envoy.wasm.runtime.v8", "plugin"],
  ["msm.runtime.wasi", "wasi"],
  ["msm.runtime.quickjs", "script"],
]);

/** Stands for a server outside of the mesh: the host that the URI names. */
const DIRECT_CLUSTER = "direct";

const SHA256 = /^[0-9a-fA-F]{64}$/;

/** Envoy's defaults for remote code, and a time-out of ours for where it has none. */
const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_BASE_MS = 1_000;
const DEFAULT_RETRIES = 3;

/** More would keep configuration waiting for minutes. */
const MAX_RETRIES = 10;

/** Reads the code of a `VmConfig`, and what it runs on. Throws a `ConfigError`. */
export function readFilterCode(
  vm: VmConfig,
  vmPath: string,
): { readonly code: FilterCode; readonly trust: FilterTrust } {
  const path = at(vmPath, "code");
  if (vm.runtime === BUILTIN_RUNTIME) return { code: readBuiltin(vm, path), trust: "builtin" };
  const trust = RUNTIMES.get(vm.runtime);
  if (trust === undefined) {
    const names = [...RUNTIMES.keys()].filter((name) => name !== "");
    const problem = `"${vm.runtime}" is not here; use ${names.join(", ")} or ${BUILTIN_RUNTIME}`;
    return refuse("MSM_FILTER_RUNTIME", at(vmPath, "runtime"), problem);
  }
  switch (vm.code?.specifier.case) {
    case "local":
      return { code: readLocal(vm.code.specifier.value, at(path, "local")), trust };
    case "remote":
      return { code: readRemote(vm.code.specifier.value, at(path, "remote"), vm.nackOnCodeCacheMiss), trust };
    default:
      return refuse("MSM_FILTER_CODE", path, "must be local or remote");
  }
}

function readBuiltin(vm: VmConfig, path: string): FilterCode {
  const source = vm.code?.specifier;
  if (source?.case === "local" && source.value.specifier.case === "inlineString") {
    return { kind: "builtin", name: source.value.specifier.value };
  }
  const problem = `must be an inline_string with the name of a built-in filter, as the runtime is ${BUILTIN_RUNTIME}`;
  return refuse("MSM_FILTER_CODE", at(path, "local"), problem);
}

function readLocal(source: DataSource, path: string): FilterCode {
  refuseOthers(DataSourceSchema, source, path, {
    filename: "accepted",
    inline_bytes: "accepted",
    inline_string: "accepted",
    environment_variable: { only: undefined, hint: "use filename or inline_bytes" },
  });
  switch (source.specifier.case) {
    case "filename":
      return { kind: "file", path: source.specifier.value };
    case "inlineBytes":
      return { kind: "bytes", bytes: source.specifier.value };
    case "inlineString":
      // Envoy takes the characters of an inline string as bytes: the text of a script, mostly.
      return { kind: "bytes", bytes: new TextEncoder().encode(source.specifier.value) };
    default:
      return refuse("MSM_FILTER_CODE", path, "must be filename, inline_bytes or inline_string");
  }
}

function readRemote(source: RemoteDataSource, path: string, nackOnMiss: boolean): FilterCode {
  const uriPath = at(path, "http_uri");
  const { uri = "", timeout, httpUpstreamType } = source.httpUri ?? {};
  const protocol = URL.canParse(uri) ? new URL(uri).protocol : "";
  if (protocol !== "http:" && protocol !== "https:") {
    refuse("MSM_FILTER_CODE", at(uriPath, "uri"), `"${uri}" must be an http or https URI`);
  }
  if (httpUpstreamType?.case !== undefined && httpUpstreamType.value !== DIRECT_CLUSTER) {
    const problem = `"${httpUpstreamType.value}" cannot be used for code; say ${DIRECT_CLUSTER}, which stands for the host of the URI`;
    refuse("MSM_FILTER_CODE", at(uriPath, "cluster"), problem);
  }
  if (!SHA256.test(source.sha256)) {
    refuse("MSM_FILTER_CODE", at(path, "sha256"), "must be the 64 hexadecimal digits of the code's SHA-256");
  }
  const policy = source.retryPolicy;
  const backOff = policy?.retryBackOff;
  const baseMs = backOff?.baseInterval === undefined ? DEFAULT_BASE_MS : durationMs(backOff.baseInterval);
  const maxMs = backOff?.maxInterval === undefined ? 10 * baseMs : durationMs(backOff.maxInterval);
  const retries = policy?.numRetries ?? DEFAULT_RETRIES;
  if (baseMs <= 0 || maxMs < baseMs || retries > MAX_RETRIES) {
    const problem = `base_interval must be above 0, max_interval no less, and num_retries at most ${MAX_RETRIES}`;
    refuse("MSM_CONFIG_INVALID", at(path, "retry_policy"), problem);
  }
  const timeoutMs = timeout === undefined ? DEFAULT_TIMEOUT_MS : durationMs(timeout) || DEFAULT_TIMEOUT_MS;
  const sha256 = source.sha256.toLowerCase();
  return { kind: "remote", code: { uri, sha256, timeoutMs, retries, baseMs, maxMs, nackOnMiss } };
}
