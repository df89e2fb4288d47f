// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Status } from "./abi.ts";
import type { GuestState } from "./guest-state.ts";
import { unimplementedCalls, WASI_MODULE } from "./import-names.ts";
import { msmImports } from "./msm-imports.ts";
import { proxyImports } from "./proxy-imports.ts";
import { wasiImports } from "./wasi-imports.ts";

const answerUnimplemented = (): number => Status.Unimplemented;

/** Everything that a filter may import, bound to one instance. */
export function createImports(state: GuestState): Record<string, WebAssembly.ModuleImports> {
  return {
    env: {
      ...Object.fromEntries(unimplementedCalls.map((name) => [name, answerUnimplemented])),
      ...proxyImports(state),
      ...msmImports(state),
    },
    [WASI_MODULE]: wasiImports(state),
  };
}
