// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { ConfigError } from "../config-error.ts";
import { START_FUEL } from "./guest-budget.ts";
import { allocatorExports, requiredExports, streamExports } from "./guest-calls.ts";
import { isKnownImport, WASI_MODULE } from "./import-names.ts";
import { meterModule } from "./metering/meter-module.ts";
import { MeteringRefusal } from "./metering/metering-refusal.ts";
import { compileEngine } from "./script/script-engine.ts";
import { fullWasiNames } from "./wasi/full-wasi-names.ts";
import { compileWasi } from "./wasi/wasi-engine.ts";

/** A module of this size already carries a whole language runtime. */
const MAX_MODULE_BYTES = 16 * 1024 * 1024;

/** More than anyone writes; a library that is bundled in is smaller. */
const MAX_SCRIPT_BYTES = 1024 * 1024;

/** Pages of 64 KiB that a filter of unknown origin may have: 16 MiB. */
const MAX_MEMORY_PAGES = 256;

/** The first four bytes of every WebAssembly module: NUL and "asm". */
const MAGIC = [0x00, 0x61, 0x73, 0x6d];

/** A filter's module, ready for a plan. */
export interface CompiledFilter {
  readonly module: WebAssembly.Module;
  /** SHA-256 of the module's or the script's bytes, lower-case hexadecimal. */
  readonly digest: string;
  /** The text of a filter in JavaScript; `module` is then the engine. */
  readonly script?: string;
  /** What implements WASI for a module that needs the whole of it. */
  readonly wasi?: WebAssembly.Module;
}

/**
 * `builtin` for a module that this release was built with and whose digest was checked; `script` for the text of a
 * filter in JavaScript; `wasi` for a module that needs the whole of WASI preview 1; `plugin` for any other.
 */
export type FilterTrust = "builtin" | "plugin" | "script" | "wasi";

/**
 * Compiles a filter and checks that it speaks the ABI. A plugin is rewritten so that its instructions are counted
 * and its memory is bounded; a built-in filter runs as it is. `field` is named in errors. Throws ConfigError
 * MSM_FILTER_TOO_LARGE, MSM_FILTER_NOT_WASM, MSM_FILTER_ABI, MSM_FILTER_IMPORT, MSM_FILTER_OPCODE,
 * MSM_FILTER_MEMORY or MSM_FILTER_SCRIPT.
 */
export async function compileFilter(
  bytes: Uint8Array,
  field: string,
  trust: FilterTrust = "plugin",
): Promise<CompiledFilter> {
  if (bytes.length > MAX_MODULE_BYTES) {
    const problem = `the module has ${bytes.length} bytes; at most ${MAX_MODULE_BYTES} are allowed`;
    throw new ConfigError("MSM_FILTER_TOO_LARGE", field, problem);
  }
  const digest = createHash("sha256").update(bytes).digest("hex");
  if (trust === "script") return { module: compileEngine(), digest, script: readScript(bytes, field) };
  const module = await compile(bytes, field);
  checkExports(module, field);
  checkImports(module, field, trust === "wasi");
  const metered = trust === "builtin" ? module : await compile(meter(bytes, field), field);
  return { module: metered, digest, ...(trust === "wasi" ? { wasi: compileWasi() } : {}) };
}

function readScript(bytes: Uint8Array, field: string): string {
  if (bytes.length > MAX_SCRIPT_BYTES) {
    const problem = `the script has ${bytes.length} bytes; at most ${MAX_SCRIPT_BYTES} are allowed`;
    throw new ConfigError("MSM_FILTER_TOO_LARGE", field, problem);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new ConfigError("MSM_FILTER_SCRIPT", field, "the script is no UTF-8 text; give JavaScript source");
  }
}

async function compile(bytes: Uint8Array, field: string): Promise<WebAssembly.Module> {
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) {
    const problem = "these bytes are no WebAssembly module; give the .wasm file as the compiler wrote it";
    throw new ConfigError("MSM_FILTER_NOT_WASM", field, problem);
  }
  try {
    return await WebAssembly.compile(bytes);
  } catch (error) {
    const problem = `the module does not compile: ${error instanceof Error ? error.message : String(error)}`;
    throw new ConfigError("MSM_FILTER_NOT_WASM", field, problem);
  }
}

function meter(bytes: Uint8Array, field: string): Uint8Array {
  try {
    return meterModule(bytes, { memoryPages: MAX_MEMORY_PAGES, startFuel: START_FUEL });
  } catch (error) {
    if (error instanceof MeteringRefusal) throw new ConfigError(error.code, field, error.message);
    const problem = `the module cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    throw new ConfigError("MSM_FILTER_NOT_WASM", field, problem);
  }
}

function checkExports(module: WebAssembly.Module, field: string): void {
  const exported = new Map(WebAssembly.Module.exports(module).map(({ name, kind }) => [name, kind]));
  const isFunction = (name: string): boolean => exported.get(name) === "function";
  const isNetworkFilter = streamExports.every((names) => names.some(isFunction));
  for (const name of requiredExports) {
    // A Proxy-Wasm filter that knows nothing of the extension sees datagrams one by one.
    if (isNetworkFilter && !isFunction("msm_on_datagrams") && name !== "memory") continue;
    const kind = name === "memory" ? "memory" : "function";
    if (exported.get(name) === kind) continue;
    const problem = `the module does not export the ${kind} ${name}; build it with the filter SDK for this ABI`;
    throw new ConfigError("MSM_FILTER_ABI", field, problem);
  }
  if (allocatorExports.some(isFunction)) return;
  const problem = `the module must export one of the functions ${allocatorExports.join(" and ")}`;
  throw new ConfigError("MSM_FILTER_ABI", field, problem);
}

function checkImports(module: WebAssembly.Module, field: string, hasFullWasi: boolean): void {
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind === "function" && isKnownImport(from, name)) continue;
    const isWasi = kind === "function" && from === WASI_MODULE && fullWasiNames.includes(name);
    if (isWasi && hasFullWasi) continue;
    const hint = isWasi ? "; set vm_config.runtime to msm.runtime.wasi" : "";
    const problem = `the module imports the ${kind} ${from}.${name}, which this host does not have${hint}`;
    throw new ConfigError("MSM_FILTER_IMPORT", field, problem);
  }
}
