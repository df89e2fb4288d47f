// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * Runs a program and returns what it wrote; null where it is not there or fails.
 * @param {string} program
 * @param {readonly string[]} args
 * @returns {Promise<string | null>}
 */
export async function outputOf(program, args) {
  return await run(program, [...args]).then(
    ({ stdout }) => stdout,
    () => null,
  );
}

/**
 * Runs compilers in a temporary folder and returns the file `filter.wasm` that they leave there. Throws with their
 * messages.
 * @param {(into: string) => readonly (readonly [string, readonly string[]])[]} commands
 * @returns {Promise<Uint8Array>}
 */
export async function compileWith(commands) {
  const into = await mkdtemp(path.join(tmpdir(), "msm-filter-"));
  try {
    for (const [program, args] of commands(into)) {
      await run(program, [...args]).catch((error) => {
        throw new Error(String(error.stderr || error.message));
      });
    }
    return await readFile(path.join(into, "filter.wasm"));
  } finally {
    await rm(into, { recursive: true });
  }
}
