// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/**
 * The URL of a worker's compiled entry file, which stands beside the caller. Node 20 cannot run TypeScript, and
 * `new URL` is not rewritten by the compiler, so a worker always runs from `dist`, even where the caller runs
 * from source as it does under vitest.
 */
export function workerEntry(callerUrl: string, name: string): URL {
  const url = new URL(`./${name}.js`, callerUrl);
  if (callerUrl.endsWith(".ts")) url.pathname = url.pathname.replace(/\/src\/(?!.*\/src\/)/, "/dist/");
  return url;
}
