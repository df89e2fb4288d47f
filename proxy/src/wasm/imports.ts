// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { Status } from "./abi.ts";
import { countCall } from "./count-call.ts";
import { isCapable } from "./filter-options.ts";
import type { GuestState } from "./guest-state.ts";
import { signallingCalls, unimplementedCalls, WASI_MODULE, WASI_UNSTABLE_MODULE } from "./import-names.ts";
import { msmImports } from "./msm-imports.ts";
import { proxyImports } from "./proxy-imports.ts";
import { sharingImports } from "./sharing-imports.ts";
import { sinkImports } from "./sink-imports.ts";
import { wasiImports } from "./wasi-imports.ts";

/** `ENOTCAPABLE` of WASI preview 1. */
const WASI_NOT_CAPABLE = 76;

const answerUnimplemented = (): number => Status.Unimplemented;

/**
 * Everything that a filter may import, bound to one instance and counted; what it may not use says so. `more` are calls
 * of its kind of filter alone, and those that differ for it; `wasi` stands for WASI, the part that every filter has unless
 * said.
 */
export function createImports(
  state: GuestState,
  more: Readonly<Record<string, CallableFunction>> = {},
  wasi: Readonly<Record<string, CallableFunction>> = wasiImports(state),
): Record<string, WebAssembly.ModuleImports> {
  const names = [...unimplementedCalls, ...signallingCalls];
  const unimplemented = Object.fromEntries(names.map((name) => [name, answerUnimplemented]));
  return {
    env: restrict(
      state,
      {
        ...unimplemented,
        ...proxyImports(state),
        ...msmImports(state),
        ...sharingImports(state),
        ...sinkImports(state),
        ...more,
      },
      Status.InternalFailure,
    ),
    [WASI_MODULE]: restrict(state, wasi, WASI_NOT_CAPABLE),
    [WASI_UNSTABLE_MODULE]: restrict(state, wasiImports(state), WASI_NOT_CAPABLE),
  };
}

function restrict(
  state: GuestState,
  calls: Readonly<Record<string, CallableFunction>>,
  refusal: number,
): WebAssembly.ModuleImports {
  const refuse = (): number => refusal;
  return Object.fromEntries(
    Object.entries(calls).map(([name, call]) => [
      name,
      countCall(isCapable(state.plan, name) ? call : refuse, state.budget),
    ]),
  );
}
