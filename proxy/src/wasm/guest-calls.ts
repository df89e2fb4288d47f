// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { isCapable, type RunnableFilter } from "./filter-options.ts";

/** The exports that the host calls; those that Proxy-Wasm or the extension make optional may be absent. */
export interface GuestCalls {
  readonly allocate: (size: number) => number;
  readonly contextCreate: ((context: number, parent: number) => void) | undefined;
  readonly vmStart: ((context: number, size: number) => number) | undefined;
  readonly configure: ((context: number, size: number) => number) | undefined;
  readonly describe: ((out: number, size: number) => number) | undefined;
  readonly onDatagrams: ((context: number, batch: number) => number) | undefined;
  readonly downstreamData: ((context: number, size: number, endOfStream: number) => number) | undefined;
  readonly upstreamData: ((context: number, size: number, endOfStream: number) => number) | undefined;
  readonly upstreamClose: ((context: number, peer: number) => void) | undefined;
  readonly newConnection: ((context: number) => number) | undefined;
  readonly downstreamClose: ((context: number, peer: number) => void) | undefined;
  readonly done: ((context: number) => number) | undefined;
  readonly log: ((context: number) => void) | undefined;
  readonly delete: ((context: number) => void) | undefined;
  readonly tick: ((context: number) => void) | undefined;
  readonly queueReady: ((context: number, queue: number) => void) | undefined;
  readonly onTimer: ((context: number, timer: number, batch: number) => void) | undefined;
  readonly onReport: ((context: number) => void) | undefined;
  readonly onHandOver: ((context: number) => void) | undefined;
  readonly onStream: ((context: number, event: number) => void) | undefined;
  readonly onFlow: ((context: number, flow: number, event: number) => void) | undefined;
}

/** Exports without which a module is no filter of the extension. */
export const requiredExports = [
  "memory",
  "proxy_abi_version_0_2_1",
  "msm_abi_version_0_1_0",
  "msm_on_datagrams",
] as const;
/** Exports by which a module shows that it is a Proxy-Wasm network filter; one of each row is required. */
export const streamExports = [
  ["proxy_abi_version_0_2_1", "proxy_abi_version_0_2_0"],
  ["proxy_on_downstream_data", "proxy_on_upstream_data"],
] as const;
/** Of the allocators one will do. */
export const allocatorExports = ["proxy_on_memory_allocate", "malloc"] as const;

/** The entry points that a module may have; the first that is there runs, once. */
export const startExports = ["_initialize", "_start"] as const;

/**
 * Finds the functions that the host calls and the filter may be called by. Missing required ones were refused when the module was read.
 */
export function findGuestCalls(exports: WebAssembly.Exports, plan: RunnableFilter): GuestCalls {
  const callback = <T extends (...args: never) => unknown>(name: string): T | undefined =>
    isCapable(plan, name) ? find<T>(exports, name) : undefined;
  return {
    allocate: find(exports, "proxy_on_memory_allocate") ?? find(exports, "malloc") ?? (() => 0),
    contextCreate: callback("proxy_on_context_create"),
    vmStart: callback("proxy_on_vm_start"),
    configure: callback("proxy_on_configure"),
    describe: callback("msm_describe"),
    onDatagrams: callback("msm_on_datagrams"),
    downstreamData: callback("proxy_on_downstream_data"),
    upstreamData: callback("proxy_on_upstream_data"),
    upstreamClose: callback("proxy_on_upstream_connection_close"),
    newConnection: callback("proxy_on_new_connection"),
    downstreamClose: callback("proxy_on_downstream_connection_close"),
    done: callback("proxy_on_done"),
    log: callback("proxy_on_log"),
    delete: callback("proxy_on_delete"),
    tick: callback("proxy_on_tick"),
    queueReady: callback("proxy_on_queue_ready"),
    onTimer: callback("msm_on_timer"),
    onReport: callback("msm_on_report"),
    onHandOver: callback("msm_on_hand_over"),
    onStream: callback("msm_on_stream"),
    onFlow: callback("msm_on_flow"),
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
