// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readdir } from "node:fs/promises";
import type { HealthChecker } from "./health-checker.ts";

const FOLDER = new URL("./health-checkers/", import.meta.url);
let loaded: Promise<ReadonlyMap<string, HealthChecker>> | undefined;

/** The checkers of the folder `health-checkers/` by name. They are loaded once. */
export function loadHealthCheckers(): Promise<ReadonlyMap<string, HealthChecker>> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<ReadonlyMap<string, HealthChecker>> {
  const entries = await readdir(FOLDER, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return new Map(
    await Promise.all(
      names.sort().map(async (name): Promise<[string, HealthChecker]> => {
        const module = (await import(`./health-checkers/${name}/index.ts`)) as {
          readonly checker: HealthChecker;
        };
        return [name, module.checker];
      }),
    ),
  );
}
