// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { ConfigError } from "../config-error.ts";
import { allocatorExports, requiredExports } from "./guest-calls.ts";
import { isKnownImport } from "./import-names.ts";

/** A module of this size already carries a whole language runtime. */
const MAX_MODULE_BYTES = 16 * 1024 * 1024;

/** The first four bytes of every WebAssembly module: NUL and "asm". */
const MAGIC = [0x00, 0x61, 0x73, 0x6d];

/** A filter's module, ready for a plan. */
export interface CompiledFilter {
  readonly module: WebAssembly.Module;
  /** SHA-256 of the module's bytes, lower-case hexadecimal. */
  readonly digest: string;
}

/**
 * Compiles a filter and checks that it speaks the ABI. `field` is named in errors. Throws ConfigError
 * MSM_FILTER_TOO_LARGE, MSM_FILTER_NOT_WASM, MSM_FILTER_ABI or MSM_FILTER_IMPORT.
 */
export async function compileFilter(bytes: Uint8Array, field: string): Promise<CompiledFilter> {
  if (bytes.length > MAX_MODULE_BYTES) {
    const problem = `the module has ${bytes.length} bytes; at most ${MAX_MODULE_BYTES} are allowed`;
    throw new ConfigError("MSM_FILTER_TOO_LARGE", field, problem);
  }
  const module = await compile(bytes, field);
  checkExports(module, field);
  checkImports(module, field);
  return { module, digest: createHash("sha256").update(bytes).digest("hex") };
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

function checkExports(module: WebAssembly.Module, field: string): void {
  const exported = new Map(WebAssembly.Module.exports(module).map(({ name, kind }) => [name, kind]));
  for (const name of requiredExports) {
    const kind = name === "memory" ? "memory" : "function";
    if (exported.get(name) === kind) continue;
    const problem = `the module does not export the ${kind} ${name}; build it with the filter SDK for this ABI`;
    throw new ConfigError("MSM_FILTER_ABI", field, problem);
  }
  if (allocatorExports.some((name) => exported.get(name) === "function")) return;
  const problem = `the module must export one of the functions ${allocatorExports.join(" and ")}`;
  throw new ConfigError("MSM_FILTER_ABI", field, problem);
}

function checkImports(module: WebAssembly.Module, field: string): void {
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind === "function" && isKnownImport(from, name)) continue;
    const problem = `the module imports the ${kind} ${from}.${name}, which this host does not have`;
    throw new ConfigError("MSM_FILTER_IMPORT", field, problem);
  }
}
