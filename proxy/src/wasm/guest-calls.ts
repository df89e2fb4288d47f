// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** The exports that the host calls; those that Proxy-Wasm or the extension make optional may be absent. */
export interface GuestCalls {
  readonly allocate: (size: number) => number;
  readonly contextCreate: ((context: number, parent: number) => void) | undefined;
  readonly vmStart: ((context: number, size: number) => number) | undefined;
  readonly configure: ((context: number, size: number) => number) | undefined;
  readonly describe: ((out: number, size: number) => number) | undefined;
  readonly onDatagrams: (context: number, batch: number) => number;
  readonly newConnection: ((context: number) => number) | undefined;
  readonly downstreamClose: ((context: number, peer: number) => void) | undefined;
  readonly done: ((context: number) => number) | undefined;
  readonly log: ((context: number) => void) | undefined;
  readonly delete: ((context: number) => void) | undefined;
  readonly tick: ((context: number) => void) | undefined;
  readonly onReport: ((context: number) => void) | undefined;
}

/** Exports without which a module is no filter; of the last two, which are allocators, one will do. */
export const requiredExports = [
  "memory",
  "proxy_abi_version_0_2_1",
  "msm_abi_version_0_1_0",
  "msm_on_datagrams",
] as const;
export const allocatorExports = ["proxy_on_memory_allocate", "malloc"] as const;

/** The entry points that a module may have; the first that is there runs, once. */
export const startExports = ["_initialize", "_start"] as const;

/** Finds the functions that the host calls. Missing required ones were refused when the module was read. */
export function findGuestCalls(exports: WebAssembly.Exports): GuestCalls {
  return {
    allocate: find(exports, "proxy_on_memory_allocate") ?? find(exports, "malloc") ?? (() => 0),
    contextCreate: find(exports, "proxy_on_context_create"),
    vmStart: find(exports, "proxy_on_vm_start"),
    configure: find(exports, "proxy_on_configure"),
    describe: find(exports, "msm_describe"),
    onDatagrams: find<GuestCalls["onDatagrams"]>(exports, "msm_on_datagrams") ?? (() => 0),
    newConnection: find(exports, "proxy_on_new_connection"),
    downstreamClose: find(exports, "proxy_on_downstream_connection_close"),
    done: find(exports, "proxy_on_done"),
    log: find(exports, "proxy_on_log"),
    delete: find(exports, "proxy_on_delete"),
    tick: find(exports, "proxy_on_tick"),
    onReport: find(exports, "msm_on_report"),
  };
}

function find<T extends (...args: never) => unknown>(
  exports: WebAssembly.Exports,
  name: string,
): T | undefined {
  const found = exports[name];
  // A function's signature cannot be read from JavaScript: the engine converts arguments and results.
  return typeof found === "function" ? (found as unknown as T) : undefined;
}
