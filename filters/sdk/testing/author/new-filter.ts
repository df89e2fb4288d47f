// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { updateTable } from "./update-table.ts";

/**
 * The templates' files, each with the suffix `.template`: a folder for what every filter has, and one for each language.
 * The same relative path from `testing` and from `dist`.
 */
const TEMPLATES = fileURLToPath(new URL("../../template", import.meta.url));
const COMMON = "common";

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** The text in the template's files and paths that stands for the name, as folder and as class. */
const PLACEHOLDERS = ["filter-name", "FilterName"] as const;

/**
 * Makes a filter's folder in `parent` out of the templates, and its row in the table of `parent`/README.md where there is
 * one. Returns the folder. Throws where the name does not do, there is no such language, or the folder exists.
 */
export async function newFilter(name: string, parent: string, lang = "as"): Promise<string> {
  const languages = (await readdir(TEMPLATES)).filter((folder) => folder !== COMMON);
  if (!languages.includes(lang))
    throw new Error(`there is no language "${lang}"; use ${languages.join(", ")}`);
  if (!NAME.test(name))
    throw new Error(`"${name}" is no name for a filter: use lower-case words joined by "-"`);
  const folder = path.join(parent, name);
  if (existsSync(folder)) throw new Error(`${folder} exists already; choose another name`);
  const className = name.replaceAll(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  const fill = (text: string): string =>
    text.replaceAll(PLACEHOLDERS[0], name).replaceAll(PLACEHOLDERS[1], className);
  for (const part of [COMMON, lang]) {
    const template = path.join(TEMPLATES, part);
    for (const file of await readdir(template, { recursive: true })) {
      if (!file.endsWith(".template")) continue;
      const target = path.join(folder, fill(file.slice(0, -".template".length)));
      await mkdir(path.dirname(target), { recursive: true });
      await writeFile(target, fill(await readFile(path.join(template, file), "utf8")));
    }
  }
  await updateTable(parent);
  return folder;
}
