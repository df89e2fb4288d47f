// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The same relative path from `testing` and from `dist`. */
const LANGUAGES = fileURLToPath(new URL("languages/", import.meta.url));

/**
 * The languages that filters may be written in, by name: every file in `languages`.
 * @returns {Promise<Map<string, import("./language.ts").Language>>}
 */
export async function findLanguages() {
  const files = (await readdir(LANGUAGES)).filter((file) => file.endsWith(".mjs")).sort();
  const modules = await Promise.all(
    files.map((file) => import(new URL(`languages/${file}`, import.meta.url).href)),
  );
  return new Map(modules.map(({ language }) => [language.name, language]));
}

/**
 * The language of the filter in `folder`; undefined where it is none.
 * @param {string} folder
 */
export async function languageOf(folder) {
  const languages = [...(await findLanguages()).values()];
  return languages.find(({ source }) => existsSync(path.join(folder, source)));
}
