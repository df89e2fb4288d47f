// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { RunnableFilter } from "../../wasm/index.ts";
import { watFilter, watPlan } from "../../wasm/testdata/wat-filter.ts";
import type { SignallingOptions } from "../signalling-options.ts";

/** The parts of a signalling filter in WebAssembly text that differ from test to test. */
export interface SignallingParts {
  readonly imports?: string;
  /** Body of `proxy_on_downstream_data`; `$context`, `$size` and `$end` are its arguments. It must leave an i32. */
  readonly onData?: string;
  readonly onConfigure?: string;
  readonly more?: string;
}

const IMPORTS = `
  (import "env" "msm_read_buffer" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "env" "msm_reply" (func $reply (param i32 i32 i32) (result i32)))
  (import "env" "proxy_close_stream" (func $close (param i32) (result i32)))
  (import "env" "proxy_set_effective_context" (func $enter (param i32) (result i32)))
  (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))`;

/** Reads what came to address 65536. */
export const READ = "(drop (call $read (i32.const 2) (i32.const 0) (local.get $size) (i32.const 65536)))";

/** Sends it back, and closes at the end. */
export const ECHO = `${READ}
  (drop (call $reply (local.get $context) (i32.const 65536) (local.get $size)))
  (if (local.get $end) (then (drop (call $close (i32.const 2)))))
  (i32.const 0)`;

/** WebAssembly text as a module's bytes. */
export function signallingModule(parts: SignallingParts = {}): Uint8Array {
  return watFilter(toWat(parts));
}

/** A plan for a signalling filter in WebAssembly text. It echoes unless told otherwise. */
export function signallingPlan(
  parts: SignallingParts = {},
  changes: Partial<RunnableFilter> = {},
): Promise<RunnableFilter> {
  return watPlan(toWat(parts), changes);
}

function toWat({ imports = "", onData = ECHO, onConfigure, more = "" }: SignallingParts) {
  return {
    imports: `${IMPORTS} ${imports}`,
    ...(onConfigure === undefined ? {} : { onConfigure }),
    more: `(func (export "proxy_on_downstream_data") (param $context i32) (param $size i32) (param $end i32) (result i32)
      ${onData}) ${more}`,
  };
}

/** What a listener says unless a test says otherwise. */
export const testOptions: SignallingOptions = {
  advertisedAddress: "203.0.113.9",
  localAddress: "",
  upstreamTransport: "AUTOMATIC",
  upstreamLingerMs: 5_000,
  idleTimeoutMs: 60_000,
  maxFlowsPerConnection: 2,
};
