// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Plain JavaScript, because `filters/build.mjs` needs it before TypeScript is built.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import asc, { version } from "assemblyscript/asc";

/** The AssemblyScript side of the SDK; the same relative path from `testing` and from `dist`. */
const SDK_SOURCES = fileURLToPath(new URL("../assembly", import.meta.url));

const FLAGS = [
  "-O3",
  "--noAssert",
  // Filters allocate when they are configured and never free.
  ...["--runtime", "stub"],
  // A failed check ends the instance; there is nobody to tell.
  ...["--use", "abort="],
  // The entry point that Proxy-Wasm calls: before it, host calls could not reach the memory.
  ...["--exportStart", "_initialize"],
];

/**
 * Compiles the filter in `folder` and returns the module's bytes. The result is kept in `build` beside the folder
 * under the hash of everything that went into it. Throws with the compiler's messages.
 * @param {string} folder
 * @returns {Promise<{ bytes: Uint8Array, isFresh: boolean }>} `isFresh` where the compiler really ran.
 */
export async function compileFolder(folder) {
  const cache = path.join(path.dirname(path.resolve(folder)), "build");
  const file = path.join(cache, `${path.basename(folder)}-${await hashSources(folder)}.wasm`);
  const cached = await readFile(file).catch(() => null);
  if (cached !== null) return { bytes: cached, isFresh: false };
  const bytes = await compile(folder);
  await mkdir(cache, { recursive: true });
  // Test files run side by side: none may see another's half-written file.
  const partial = `${file}.${process.pid}`;
  await writeFile(partial, bytes);
  await rename(partial, file);
  return { bytes, isFresh: true };
}

/**
 * @param {string} folder
 * @returns {Promise<Uint8Array>}
 */
async function compile(folder) {
  /** @type {Uint8Array | null} */
  let bytes = null;
  let messages = "";
  const args = ["assembly/index.ts", "--baseDir", path.resolve(folder), "--outFile", "filter.wasm", ...FLAGS];
  const { error } = await asc.main(args, {
    stderr: { write: (text) => (messages += text) },
    writeFile(_name, contents) {
      if (typeof contents !== "string") bytes = contents;
    },
  });
  if (error !== null || bytes === null) throw new Error(`${folder}: ${error?.message}\n${messages}`);
  return bytes;
}

/**
 * @param {string} folder
 * @returns {Promise<string>}
 */
async function hashSources(folder) {
  const hash = createHash("sha256").update([version, ...FLAGS].join(" "));
  for (const root of [SDK_SOURCES, path.join(folder, "assembly")]) {
    const names = (await readdir(root, { recursive: true })).filter((name) => name.endsWith(".ts")).sort();
    for (const name of names) hash.update(`\0${name}\0`).update(await readFile(path.join(root, name)));
  }
  return hash.digest("hex").slice(0, 32);
}
