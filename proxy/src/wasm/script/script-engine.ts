// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { QuickJSContext, QuickJSHandle } from "quickjs-emscripten";
import { START_FUEL } from "../guest-budget.ts";
import { meterModule } from "../metering/meter-module.ts";

// All that is not the public interface of quickjs-emscripten is in this file: its version is pinned, and the tests
// notice when one of these parts has changed.

/** Instructions of the engine that stand for one of a filter's own: an interpreter takes that many more. */
export const SCRIPT_FUEL_FACTOR = 8;

/**
 * One turn of the interpreter's loop, whose body has ten thousand instructions, runs about so many of them. Loops inside
 * of its built-in functions cost what they are.
 */
const MAX_WEIGHT = 20;

/** The engine begins with 16 MiB, its stack and data included, of which a small script touches one. */
const INITIAL_PAGES = 256;

/** A script has 16 MiB of its own, as other filters: `setMemoryLimit` of the engine is no limit for arrays. */
const MAX_PAGES = 512;

/** What the engine may use of its stack of 5 MiB before it throws. */
const STACK_BYTES = 512 * 1024;

/** Export that runs the engine's constructors, under the name that its build gave it. */
const CONSTRUCTORS = "u";

type Pointer = number;

/** The parts of the Emscripten module that are used. */
interface EmscriptenModule {
  readonly _malloc: (size: number) => Pointer;
  readonly _free: (at: Pointer) => void;
}

interface ModuleOptions {
  readonly wasmMemory: WebAssembly.Memory;
  readonly thisProgram: string;
  print(): void;
  printErr(): void;
  instantiateWasm(
    imports: Record<string, WebAssembly.ModuleImports>,
    done: (instance: { readonly exports: WebAssembly.Exports }) => void,
  ): object;
}

interface EngineFfi {
  QTS_NewArrayBuffer(context: Pointer, at: Pointer, length: number): Pointer;
}

/** The private members of a context. */
interface ContextParts {
  readonly ctx: { readonly value: Pointer };
  readonly memory: { heapValueHandle(value: Pointer): QuickJSHandle };
}

/** The parts of the packages that are loaded where the first script is. */
interface EnginePackage {
  readonly QuickJSWASMModule: new (
    module: EmscriptenModule,
    ffi: EngineFfi,
  ) => {
    newRuntime(): { setMaxStackSize(bytes: number): void; newContext(): QuickJSContext };
  };
  readonly QuickJSFFI: new (module: EmscriptenModule) => EngineFfi;
  readonly create: (options: ModuleOptions) => Promise<unknown>;
  readonly wasmPath: string;
}

/** One JavaScript engine, in memory of its own, with one context in it. */
export interface ScriptEngine {
  readonly context: QuickJSContext;
  readonly memory: WebAssembly.Memory;
  /** With what metering added. */
  readonly exports: WebAssembly.Exports;
  allocate(size: number): number;
  free(address: number): void;
  /** An ArrayBuffer of the script's over a part of the engine's memory that is never freed. */
  mapMemory(address: number, length: number): QuickJSHandle;
}

let loaded: EnginePackage | null = null;
let compiled: WebAssembly.Module | null = null;

/** The engine's module, metered: compiled once in a process, and handed to workers as it is. */
export function compileEngine(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(
    meterModule(readFileSync(loadPackage().wasmPath), {
      memoryPages: MAX_PAGES,
      startFuel: START_FUEL * SCRIPT_FUEL_FACTOR,
      maxWeight: MAX_WEIGHT,
      takesMemory: true,
    }),
  );
  return compiled;
}

/** Starts an engine. Without waiting, as workers do not: their loop never comes back to Node's. */
export function openEngine(module: WebAssembly.Module): ScriptEngine {
  const { QuickJSWASMModule, QuickJSFFI, create } = loadPackage();
  const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAX_PAGES });
  let exports: WebAssembly.Exports = {};
  const options: ModuleOptions = {
    wasmMemory: memory,
    thisProgram: "filter",
    print() {},
    printErr() {},
    instantiateWasm(imports, done) {
      exports = new WebAssembly.Instance(module, imports).exports;
      // The loader would run them in a later turn of the event loop; they run below, and only once.
      done({ exports: { ...exports, [CONSTRUCTORS]: () => {} } });
      return {};
    },
  };
  // The loader is asynchronous after this point only, for what has no part in this.
  create(options).catch(() => {});
  (exports[CONSTRUCTORS] as unknown as () => void)();
  const engine = options as unknown as EmscriptenModule;
  const ffi = new QuickJSFFI(engine);
  const runtime = new QuickJSWASMModule(engine, ffi).newRuntime();
  runtime.setMaxStackSize(STACK_BYTES);
  const context = runtime.newContext();
  const { ctx, memory: handles } = context as unknown as ContextParts;
  return {
    context,
    memory,
    exports,
    allocate: (size) => engine._malloc(size),
    free: (address) => engine._free(address),
    mapMemory: (address, length) =>
      handles.heapValueHandle(ffi.QTS_NewArrayBuffer(ctx.value, address, length)),
  };
}

function loadPackage(): EnginePackage {
  if (loaded !== null) return loaded;
  const require = createRequire(import.meta.url);
  const main = require("quickjs-emscripten") as Pick<EnginePackage, "QuickJSWASMModule">;
  // The engine's build is a dependency of that package and is found from there.
  const requireVariant = createRequire(require.resolve("quickjs-emscripten"));
  const variant = "@jitl/quickjs-wasmfile-release-sync";
  const { QuickJSFFI } = requireVariant(`${variant}/ffi`) as Pick<EnginePackage, "QuickJSFFI">;
  loaded = {
    QuickJSWASMModule: main.QuickJSWASMModule,
    QuickJSFFI,
    create: requireVariant(`${variant}/emscripten-module`) as EnginePackage["create"],
    wasmPath: requireVariant.resolve(`${variant}/wasm`),
  };
  return loaded;
}
