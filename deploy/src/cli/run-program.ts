// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { spawn } from "node:child_process";

/** Runs a Node script in the terminal of this process and takes over its exit code; signals are handed on. */
export function runProgram(script: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], { stdio: "inherit" });
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      // A terminal sends Ctrl-C to the child as well.
      process.on(signal, () => (signal !== "SIGINT" || !process.stdin.isTTY) && child.kill(signal));
    }
    child.once("error", reject);
    child.once("exit", (code) => {
      process.exitCode = code ?? 1;
      resolve();
    });
  });
}
