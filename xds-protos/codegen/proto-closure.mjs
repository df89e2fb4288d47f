// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const IMPORT = /^\s*import\s+(?:public\s+|weak\s+)?"([^"]+)"\s*;/gm;

/**
 * Finds every proto that the entries need: the entries and, following imports, all that they import, except
 * google/protobuf/*, which the generator brings itself. Returns a map from import path to the file on disk.
 * Throws `MSM_PROTOS_MISSING`, with who imports it, for a proto that is in none of the roots.
 * @param {readonly string[]} roots Folders, searched in this order.
 * @param {readonly string[]} entries Import paths; a name that ends in `/` means all protos below it.
 * @returns {ReadonlyMap<string, string>}
 */
export function protoClosure(roots, entries) {
  /** @type {Map<string, string>} */
  const found = new Map();
  const wanted = entries
    .flatMap((entry) => expand(roots, entry))
    .map((path) => ({ path, importer: "the entries" }));
  for (const { path, importer } of wanted) {
    if (found.has(path) || path.startsWith("google/protobuf/")) continue;
    const root = roots.find((candidate) => existsSync(join(candidate, path)));
    if (root === undefined) {
      throw new Error(
        `MSM_PROTOS_MISSING: ${path}: named by ${importer}, but in none of ${roots.join(", ")}`,
      );
    }
    const file = join(root, path);
    found.set(path, file);
    for (const [, imported = ""] of readFileSync(file, "utf8").matchAll(IMPORT)) {
      wanted.push({ path: imported, importer: path });
    }
  }
  return found;
}

/**
 * The protos below `folder`, as import paths relative to `root`, sorted.
 * @param {string} root
 * @param {string} folder
 * @returns {string[]}
 */
export function protosBelow(root, folder) {
  const start = join(root, folder);
  if (!existsSync(start)) return [];
  return readdirSync(start, { withFileTypes: true })
    .flatMap((item) => {
      const path = `${folder}${item.name}`;
      if (item.isDirectory()) return protosBelow(root, `${path}/`);
      return item.name.endsWith(".proto") ? [path] : [];
    })
    .sort();
}

/**
 * @param {readonly string[]} roots
 * @param {string} entry
 */
function expand(roots, entry) {
  if (!entry.endsWith("/")) return [entry];
  const paths = roots.flatMap((root) => protosBelow(root, entry));
  if (paths.length === 0) throw new Error(`MSM_PROTOS_MISSING: ${entry}: holds no .proto file in any root`);
  return paths;
}
