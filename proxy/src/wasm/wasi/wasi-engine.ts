// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { START_FUEL } from "../guest-budget.ts";
import { meterModule } from "../metering/meter-module.ts";

// All that is not the public interface of @wasmer/wasi is in this file: its version is pinned, and the tests notice
// when one of these parts has changed.

/** The files of one filter, and what manages them, have 16 MiB. */
const MEMORY_PAGES = 256;

/** The engine as the package carries it, inside of its JavaScript. */
const EMBEDDED = /data:application\/wasm;base64,([A-Za-z0-9+/=]+)/;

interface WasiLibrary {
  initSync(module: WebAssembly.Module): WebAssembly.Exports;
  readonly WASI: new (options: {
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  }) => {
    getImports(module: WebAssembly.Module): Record<string, WebAssembly.ModuleImports>;
    instantiate(instance: WebAssembly.Instance): WebAssembly.Instance;
  };
}

/** The whole of WASI preview 1 for one filter: no arguments, no environment, and a file system in memory, empty at first. */
export interface OpenWasi {
  /** The functions by name; they take their memory from the instance that is bound. */
  readonly calls: Readonly<Record<string, CallableFunction>>;
  /** With what metering added. */
  readonly exports: WebAssembly.Exports;
  bind(instance: WebAssembly.Instance): void;
}

let compiled: WebAssembly.Module | null = null;

/** The module that implements WASI, metered: compiled once in a process, and handed to workers as it is. */
export function compileWasi(): WebAssembly.Module {
  if (compiled !== null) return compiled;
  const [, embedded] = EMBEDDED.exec(readFileSync(libraryPath(), "latin1")) ?? [];
  if (embedded === undefined) throw new Error("@wasmer/wasi carries no engine; install version 1.2.2");
  const bytes = meterModule(Buffer.from(embedded, "base64"), {
    memoryPages: MEMORY_PAGES,
    startFuel: START_FUEL,
  });
  compiled = new WebAssembly.Module(bytes);
  return compiled;
}

/** Makes a WASI for instances of `module`. The library keeps one engine: loaded anew, each filter has its own. */
export function openWasi(engine: WebAssembly.Module, module: WebAssembly.Module): OpenWasi {
  const require = createRequire(import.meta.url);
  const path = libraryPath();
  delete require.cache[path];
  const library = require(path) as WasiLibrary;
  delete require.cache[path];
  const exports = library.initSync(engine);
  const wasi = new library.WASI({ args: [], env: {} });
  const imports = wasi.getImports(module);
  const calls = Object.assign({}, ...Object.values(imports)) as Record<string, CallableFunction>;
  return { calls, exports, bind: (instance) => wasi.instantiate(instance) };
}

function libraryPath(): string {
  return createRequire(import.meta.url).resolve("@wasmer/wasi");
}
