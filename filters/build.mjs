// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Compiles every filter folder into `dist/<name>/<name>.wasm` and lists them in `dist/filters.json`. A folder is a
// filter when it has `filter.json` and the source file of a language; there is no list to keep. Scripts stay as they are
// and end with `.js`; what has no compiler here is left out, and that is said.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { compileFolder } from "./sdk/testing/compile.mjs";
import { languageOf } from "./sdk/testing/find-languages.mjs";

const root = import.meta.dirname;
const filters = {};

for (const name of (await readdir(root)).sort()) {
  const folder = path.join(root, name);
  if (!existsSync(path.join(folder, "filter.json"))) continue;
  const language = await languageOf(folder);
  const missing = (await language?.missing()) ?? null;
  if (language === undefined || missing !== null) {
    console.log(`filter ${name}: left out; ${missing ?? "a source file"} is needed`);
    continue;
  }
  const startedAt = performance.now();
  const { bytes, isFresh, suffix } = await compileFolder(folder);
  const file = `${name}/${name}${suffix}`;
  await mkdir(path.join(root, "dist", name), { recursive: true });
  await writeFile(path.join(root, "dist", file), bytes);
  const { description } = JSON.parse(await readFile(path.join(folder, "filter.json"), "utf8"));
  filters[name] = { file, sha256: createHash("sha256").update(bytes).digest("hex"), description };
  const how = isFresh ? `${Math.round(performance.now() - startedAt)} ms` : "unchanged";
  console.log(`filter ${name}: ${bytes.length} bytes, ${how}`);
}

await writeFile(path.join(root, "dist/filters.json"), `${JSON.stringify(filters, null, 2)}\n`);
