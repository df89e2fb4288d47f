// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { ModuleFile } from "../model/raw-resource.ts";
import { fileLimits } from "../sources/file/limits.ts";
import { type FileState, readResources } from "../sources/file/read-resources.ts";
import type { SourceUpdate } from "../sources/source.ts";

/** Reads YAML text as the source `file` would, without a file. `module` is what every WasmFilter's file holds. */
export function readText(text: string, module?: ModuleFile): SourceUpdate {
  const state = readResources({ path: "mesh.yaml", text }, fileLimits.maxAliasCount, undefined);
  return updateOf(state, module);
}

/** What a source with this one file says. */
export function updateOf({ resources, refusals, isComplete }: FileState, module?: ModuleFile): SourceUpdate {
  const withModule = module === undefined ? resources : resources.map((raw) => ({ ...raw, module }));
  return { resources: withModule, refusals, isComplete };
}
