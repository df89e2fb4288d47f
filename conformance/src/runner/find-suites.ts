// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { readdirSync } from "node:fs";
import type { Suite } from "./suite.ts";

const folder = new URL("../suites/", import.meta.url);

/** A suite and its folder's name. */
export interface NamedSuite {
  readonly name: string;
  readonly suite: Suite;
}

/** Loads the suites named, or all: a folder in `suites/` is a suite. Throws when a name is none. */
export async function findSuites(wanted: readonly string[]): Promise<readonly NamedSuite[]> {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  for (const name of wanted) {
    if (!names.includes(name)) throw new Error(`There is no suite "${name}". Suites: ${names.join(", ")}.`);
  }
  const chosen = wanted.length === 0 ? names : names.filter((name) => wanted.includes(name));
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return Promise.all(
    chosen.map(async (name) => {
      const module = (await import(new URL(`${name}/index.${extension}`, folder).href)) as { suite: Suite };
      return { name, suite: module.suite };
    }),
  );
}
