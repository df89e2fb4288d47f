// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { Status } from "./abi.ts";
import { countCall } from "./count-call.ts";
import { isCapable } from "./filter-options.ts";
import type { GuestState } from "./guest-state.ts";
import { unimplementedCalls, WASI_MODULE } from "./import-names.ts";
import { msmImports } from "./msm-imports.ts";
import { proxyImports } from "./proxy-imports.ts";
import { sharingImports } from "./sharing-imports.ts";
import { wasiImports } from "./wasi-imports.ts";

/** `ENOTCAPABLE` of WASI preview 1. */
const WASI_NOT_CAPABLE = 76;

const answerUnimplemented = (): number => Status.Unimplemented;

/** Everything that a filter may import, bound to one instance and counted; what it may not use says so. */
export function createImports(state: GuestState): Record<string, WebAssembly.ModuleImports> {
  const unimplemented = Object.fromEntries(unimplementedCalls.map((name) => [name, answerUnimplemented]));
  return {
    env: restrict(
      state,
      { ...unimplemented, ...proxyImports(state), ...msmImports(state), ...sharingImports(state) },
      Status.InternalFailure,
    ),
    [WASI_MODULE]: restrict(state, wasiImports(state), WASI_NOT_CAPABLE),
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
