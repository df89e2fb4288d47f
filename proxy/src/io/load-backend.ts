// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readdir } from "node:fs/promises";
import type { IoBackend } from "./io-backend.ts";

/** The backend in the folder of that name. Throws a RangeError that names those there are. */
export async function loadBackend(name: string): Promise<IoBackend> {
  const names = await backendNames();
  if (!names.includes(name)) throw new RangeError(`no I/O backend "${name}": there are ${names.join(", ")}`);
  const { backend } = (await import(`./${name}/index.ts`)) as { readonly backend: IoBackend };
  return backend;
}

/** The best backend that can run here, or the one asked for. Throws a RangeError where that cannot run. */
export async function chooseBackend(name: string): Promise<IoBackend> {
  if (name !== "auto") {
    const backend = await loadBackend(name);
    const reason = backend.unavailable();
    if (reason !== undefined) throw new RangeError(`I/O backend "${name}" cannot run here: ${reason}`);
    return backend;
  }
  const loaded = await Promise.allSettled((await backendNames()).map(loadBackend));
  const usable = loaded
    .filter((result) => result.status === "fulfilled")
    .map((result) => result.value)
    .filter((backend) => backend.unavailable() === undefined)
    .sort((a, b) => b.priority - a.priority);
  if (usable[0] === undefined) throw new RangeError("no I/O backend can run here");
  return usable[0];
}

/** The folders beside this file. */
export async function backendNames(): Promise<readonly string[]> {
  const entries = await readdir(new URL(".", import.meta.url), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}
