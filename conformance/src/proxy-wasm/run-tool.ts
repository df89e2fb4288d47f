// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The longest that fetching or compiling may take. */
const TIMEOUT_MS = 150_000;

/** Runs a compiler or a package client in a folder. Throws with what it said where it fails. */
export async function runTool(
  folder: string,
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const options = { cwd: folder, env: { ...process.env, ...env }, timeout: TIMEOUT_MS };
  await run(command, [...args], options).catch((error: { stderr?: string; message: string }) => {
    throw new Error(`${command} ${args.join(" ")}: ${error.stderr || error.message}`);
  });
}
