// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const sources = new URL("../../load/", import.meta.url);
const folder = new URL("../../build/load/", import.meta.url);

/** Where `buildGoProgram` puts the program whose sources are in `conformance/load/<name>`. */
export function goProgram(name: string): string {
  return fileURLToPath(new URL(name, folder));
}

/**
 * Builds it with the modules that its `go.sum` pins. Returns why it could not be built: there is no Go, or no way to the
 * modules.
 */
export function buildGoProgram(name: string): string | undefined {
  mkdirSync(folder, { recursive: true });
  const { error, status, stderr } = spawnSync("go", ["build", "-o", goProgram(name), "."], {
    cwd: new URL(`${name}/`, sources),
    encoding: "utf8",
    timeout: 300_000,
  });
  if (error !== undefined) return `Go is not here (${error.message})`;
  return status === 0 ? undefined : `Go could not build it: ${stderr.trim().split("\n").at(-1)}`;
}
