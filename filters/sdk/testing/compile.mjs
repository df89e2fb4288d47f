// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Plain JavaScript, because `filters/build.mjs` needs it before TypeScript is built.
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { findLanguages, languageOf } from "./find-languages.mjs";

/**
 * Compiles the filter in `folder`, in whatever language it is, and returns its bytes. The result is kept in `build`
 * beside the folder under the hash of everything that went into it. Throws with the compiler's messages.
 * @param {string} folder
 * @returns {Promise<{ bytes: Uint8Array, isFresh: boolean, suffix: ".wasm" | ".js" }>} `isFresh` where the compiler
 *   really ran; `suffix` is `.js` where the bytes are a script.
 */
export async function compileFolder(folder) {
  const language = await languageOf(folder);
  if (language === undefined) {
    const sources = [...(await findLanguages()).values()].map(({ source }) => source);
    throw new Error(`${folder} is no filter: it has none of ${sources.join(", ")}`);
  }
  const { suffix } = language;
  const cache = path.join(path.dirname(path.resolve(folder)), "build");
  const file = path.join(cache, `${path.basename(folder)}-${await hashInputs(language, folder)}${suffix}`);
  const cached = await readFile(file).catch(() => null);
  if (cached !== null) return { bytes: cached, isFresh: false, suffix };
  const missing = await language.missing();
  if (missing !== null) throw new Error(`${folder}: to compile it, ${missing} is needed`);
  const bytes = await language.compile(folder).catch((error) => {
    throw new Error(`${folder}: ${error instanceof Error ? error.message : String(error)}`);
  });
  await mkdir(cache, { recursive: true });
  // Test files run side by side: none may see another's half-written file.
  const partial = `${file}.${process.pid}`;
  await writeFile(partial, bytes);
  await rename(partial, file);
  return { bytes, isFresh: true, suffix };
}

/**
 * @param {import("./language.ts").Language} language
 * @param {string} folder
 * @returns {Promise<string>}
 */
async function hashInputs(language, folder) {
  const { version, files } = await language.inputs(folder);
  const hash = createHash("sha256").update(version);
  for (const file of files) hash.update(`\0${path.basename(file)}\0`).update(await readFile(file));
  return hash.digest("hex").slice(0, 32);
}
