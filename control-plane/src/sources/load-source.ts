// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Source, SourceOptions } from "./source.ts";

interface SourceModule {
  create(options: SourceOptions): Source;
}

/**
 * Creates the source whose folder beside this file has the given name. Throws with a clear message where there
 * is none.
 */
export async function loadSource(name: string, options: SourceOptions): Promise<Source> {
  // The name becomes part of a path: nothing but a folder's name may get through.
  if (!/^[a-z0-9-]+$/.test(name)) throw new Error(`"${name}" cannot be the name of a source`);
  let module: SourceModule;
  try {
    module = await import(`./${name}/index.ts`);
  } catch (error) {
    throw new Error(`there is no source "${name}"; "file" is one`, { cause: error });
  }
  return module.create(options);
}
