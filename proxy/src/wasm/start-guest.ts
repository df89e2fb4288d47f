// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { PLUGIN_CONTEXT } from "./abi.ts";
import { FilterFailure } from "./filter-failure.ts";
import { findGuestCalls, type GuestCalls, startExports } from "./guest-calls.ts";
import type { GuestState } from "./guest-state.ts";
import { createImports } from "./imports.ts";
import { startScript } from "./script/start-script.ts";
import { fullWasiImports } from "./wasi/full-wasi-imports.ts";
import { openWasi } from "./wasi/wasi-engine.ts";

/**
 * Makes an instance of a filter's module, starts and configures it, in Proxy-Wasm's order of calls. `more` are host
 * calls of its kind of filter. Throws FilterFailure of kind `start`, `configure` or `overrun`.
 */
export function startGuest(
  state: GuestState,
  more: Readonly<Record<string, CallableFunction>> = {},
): GuestCalls {
  const { plan } = state;
  const attempt = <T>(kind: "start" | "configure", name: string, call: () => T): T => {
    state.budget.grantStart();
    try {
      return call();
    } catch (thrown) {
      throw state.toFailure(thrown, kind, name);
    }
  };
  const calls = attempt("start", "instantiation", () => instantiate(state, more));
  attempt("start", "start", () => {
    calls.contextCreate?.(PLUGIN_CONTEXT, 0);
    const isStarted = calls.vmStart?.(PLUGIN_CONTEXT, plan.vmConfiguration.length) ?? 1;
    if (isStarted === 0) throw new FilterFailure("start", "proxy_on_vm_start answered false");
  });
  attempt("configure", "proxy_on_configure", () => {
    const isConfigured = calls.configure?.(PLUGIN_CONTEXT, plan.configuration.length) ?? 1;
    if (isConfigured === 0) throw new FilterFailure("configure", "the filter refused its configuration");
  });
  return calls;
}

function instantiate(state: GuestState, more: Readonly<Record<string, CallableFunction>>): GuestCalls {
  const { module, script, wasi: wasiEngine } = state.plan;
  const wasi = wasiEngine && openWasi(wasiEngine, module);
  if (wasi !== undefined) state.budget.attachHelper(wasi.exports);
  const imports = createImports(state, more, wasi && fullWasiImports(state, wasi));
  if (script !== undefined) return startScript(state, script, imports.env!);
  const instance = new WebAssembly.Instance(module, imports);
  wasi?.bind(instance);
  const { exports } = instance;
  state.budget.attach(exports);
  const calls = findGuestCalls(exports, state.plan);
  const { memory } = exports;
  if (!(memory instanceof WebAssembly.Memory)) {
    throw new FilterFailure("start", "the module exports no memory");
  }
  state.memory.attach(memory, calls.allocate);
  state.budget.grantStart();
  const start = startExports.map((name) => exports[name]).find((found) => typeof found === "function");
  (start as (() => void) | undefined)?.();
  return calls;
}
