// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const sources = new URL("../../load/", import.meta.url);
const build = new URL("../../build/load/", import.meta.url);

/**
 * Compiles the load generator, the sink and the C references where they are missing or older than their source, and
 * returns the path of each by its name. Throws where there is no C compiler.
 */
export function buildCPrograms(): (name: string) => string {
  mkdirSync(build, { recursive: true });
  for (const file of readdirSync(sources).filter((name) => name.endsWith(".c"))) {
    const source = new URL(file, sources);
    const program = new URL(file.slice(0, -2), build);
    if (existsSync(program) && statSync(program).mtimeMs > statSync(source).mtimeMs) continue;
    execFileSync("cc", ["-O2", "-o", fileURLToPath(program), fileURLToPath(source)], { stdio: "inherit" });
  }
  return (name) => fileURLToPath(new URL(name, build));
}
