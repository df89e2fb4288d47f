// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** A YAML file's content, or why there is none. */
export type YamlFile =
  | { readonly path: string; readonly text: string }
  | {
      readonly path: string;
      readonly code: "MSM_FILE_UNREADABLE" | "MSM_FILE_TOO_LARGE";
      readonly problem: string;
    };

/**
 * Lists the YAML and JSON files that a path stands for: itself, or those directly in the folder, by name.
 * Hidden files are left out: editors and Kubernetes keep their own there. Throws when the path cannot be read.
 */
export async function listYamlFiles(path: string): Promise<readonly string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const names = await readdir(path);
  return names
    .filter((name) => /\.(ya?ml|json)$/.test(name) && !name.startsWith("."))
    .sort()
    .map((name) => join(path, name));
}

/** Reads one file of at most `maxBytes`. Never throws: the reason is in the result. */
export async function readYamlFile(path: string, maxBytes: number): Promise<YamlFile> {
  try {
    const facts = await stat(path);
    if (!facts.isFile()) return { path, code: "MSM_FILE_UNREADABLE", problem: "is not a file" };
    if (facts.size > maxBytes) {
      const problem = `has ${facts.size} bytes; at most ${maxBytes} are read, split it`;
      return { path, code: "MSM_FILE_TOO_LARGE", problem };
    }
    return { path, text: await readFile(path, "utf8") };
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return {
      path,
      code: "MSM_FILE_UNREADABLE",
      problem: `cannot be read (${reason}); check path and permissions`,
    };
  }
}

/** A text that changes whenever the file does: size, times and inode, since editors replace files. */
export async function fileSignature(path: string): Promise<string> {
  try {
    const { size, mtimeMs, ctimeMs, ino } = await stat(path);
    return `${path}\0${size}\0${mtimeMs}\0${ctimeMs}\0${ino}`;
  } catch {
    return `${path}\0absent`;
  }
}
