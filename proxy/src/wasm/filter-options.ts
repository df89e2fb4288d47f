// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { FilterPlan } from "../plan.ts";

/** When a filter that broke at run time is made anew: `envoy.extensions.wasm.v3.ReloadConfig`. */
export interface ReloadPolicy {
  /** Wait before the first attempt; each further one waits twice as long. */
  readonly baseMs: number;
  /** The longest wait. An instance that lived longer than this begins again with the shortest. */
  readonly maxMs: number;
}

/** What a plan may say about how a filter is kept in bounds. */
export interface FilterOptions {
  /** Set where the failure policy is FAIL_RELOAD; `failurePolicy` then holds until the filter is back. */
  readonly reload?: ReloadPolicy;
  /**
   * The names of the host calls and callbacks that the filter may use, as in Envoy's
   * `capability_restriction_config`; all of them where it is absent or empty.
   */
  readonly capabilities?: readonly string[];
  /** The source text of a filter in JavaScript; its module is then the engine that runs it. */
  readonly script?: string;
  /** Bits of `Stage`: where the filter wants to run, as it said when it was tried; SESSION alone where this is absent. */
  readonly stages?: number;
  /** What implements the whole of WASI preview 1; without it a filter has the part that every filter has. */
  readonly wasi?: WebAssembly.Module;
}

/** A filter as a chain runs it. */
export type RunnableFilter = FilterPlan & FilterOptions;

/** Whether the filter may use a host call, or be called by a callback, of this name. */
export function isCapable(filter: RunnableFilter, name: string): boolean {
  const { capabilities } = filter;
  return capabilities === undefined || capabilities.length === 0 || capabilities.includes(name);
}
