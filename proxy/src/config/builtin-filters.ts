// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { FilterTrust } from "../wasm/index.ts";
import { refuse } from "./refuse.ts";

/** The bytes of a filter, and as what they run. */
export interface FilterBytes {
  readonly bytes: Uint8Array;
  readonly trust: FilterTrust;
}

/** Files of filters in JavaScript end so. */
const SCRIPT_SUFFIX = ".js";

/** The list of built-in filters, as `filters.json` of a folder has it. */
type FilterList = ReadonlyMap<string, { readonly file: string; readonly sha256: string }>;

/** Finds built-in filters by name in a folder that holds `filters.json` and the modules that it names. */
export class BuiltinFilters {
  readonly #folder: string | undefined;

  /** Without a folder there are no built-in filters, and each name is refused. */
  constructor(folder: string | undefined) {
    this.#folder = folder;
  }

  /**
   * The bytes of a built-in filter's module, checked against the digest in the list. The list is read each time,
   * so that filters built anew are found without a restart. A module whose digest was checked needs no counting of its
   * instructions; a script has an engine that counts them in any case.
   */
  async read(name: string, field: string): Promise<FilterBytes> {
    const folder = this.#folder;
    if (folder === undefined) {
      refuse(
        "MSM_FILTER_BUILTIN",
        field,
        `"${name}": no built-in filters are installed; give their folder with --filters`,
      );
    }
    const list = await readList(folder, field);
    const entry = list.get(name);
    if (entry === undefined) {
      const names = [...list.keys()].join(", ");
      refuse("MSM_FILTER_BUILTIN", field, `"${name}" is no built-in filter; there are: ${names}`);
    }
    const path = join(folder, entry.file);
    const bytes = await readModule(path, field);
    const digest = createHash("sha256").update(bytes).digest("hex");
    if (digest !== entry.sha256) {
      const problem = `${path} has SHA-256 ${digest}, but filters.json says ${entry.sha256}; build the filters again`;
      refuse("MSM_FILTER_DIGEST_MISMATCH", field, problem);
    }
    return { bytes, trust: entry.file.endsWith(SCRIPT_SUFFIX) ? "script" : "builtin" };
  }
}

/** The folder of the package `@msm/filters` where it is installed beside this one; undefined where it is not. */
export function installedFilters(): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve("@msm/filters/package.json")), "dist");
  } catch {
    return undefined;
  }
}

/** Reads a module's file. Throws a `ConfigError` that names the file. */
export async function readModule(path: string, field: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    return refuse("MSM_FILTER_FILE", field, `cannot be read: ${reasonOf(error)}`);
  }
}

async function readList(folder: string, field: string): Promise<FilterList> {
  const path = join(folder, "filters.json");
  try {
    return parseList(JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    const problem = `the list of built-in filters cannot be read: ${path}: ${reasonOf(error)}; build the filters`;
    return refuse("MSM_FILTER_BUILTIN", field, problem);
  }
}

function parseList(json: unknown): FilterList {
  const list = new Map<string, { file: string; sha256: string }>();
  for (const [name, entry] of Object.entries(json ?? {})) {
    const { file, sha256 } = (entry ?? {}) as { readonly file?: unknown; readonly sha256?: unknown };
    if (typeof file !== "string" || typeof sha256 !== "string" || file.split("/").includes("..")) {
      throw new Error(`"${name}" must have a file inside the folder and its sha256`);
    }
    list.set(name, { file, sha256 });
  }
  return list;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
