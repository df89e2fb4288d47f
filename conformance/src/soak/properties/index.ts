// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Soak } from "../soak.ts";

/** The checkout, seen from `conformance/dist/soak/properties`. */
const CHECKOUT = fileURLToPath(new URL("../../../..", import.meta.url));
const OUTPUTS = new Set(["node_modules", "dist", "gen", "build", ".msm", ".git"]);
/** What is run unless a time is given. */
const DEFAULT_ROUNDS = 3;

/**
 * Every property test of the checkout with new random seeds, which `npm test` keeps the same. What fails is named with its seed,
 * and `MSM_TEST_SEED=<seed> npm test -- <file>` shows it again.
 */
export const soak: Soak = {
  title: `the property tests of the checkout, each time with a new seed; ${DEFAULT_ROUNDS} rounds unless --minutes is given`,
  async run({ deadlineMs, tell }) {
    const files = propertyTests(CHECKOUT);
    if (files.length === 0) throw new Error(`no property tests in ${CHECKOUT}`);
    for (let round = 1; isDue(round, deadlineMs); round++) {
      const seed = randomInt(2 ** 31);
      const startedMs = performance.now();
      const { exitCode, output } = await runTests(files, seed);
      if (exitCode !== 0) throw new Error(`seed ${seed}: vitest ended with ${exitCode}\n${output}`);
      tell(
        `${files.length} files with seed ${seed}: ${Math.round((performance.now() - startedMs) / 1000)} s`,
      );
    }
  },
};

function isDue(round: number, deadlineMs: number): boolean {
  return Number.isFinite(deadlineMs) ? performance.now() < deadlineMs : round <= DEFAULT_ROUNDS;
}

/** The test files below a folder that draw values, relative to the checkout. */
function propertyTests(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return OUTPUTS.has(entry.name) ? [] : propertyTests(path);
    return entry.name.endsWith(".test.ts") && readFileSync(path, "utf8").includes('"fast-check"')
      ? [path]
      : [];
  });
}

async function runTests(
  files: readonly string[],
  seed: number,
): Promise<{ readonly exitCode: number; readonly output: string }> {
  const child = spawn(
    process.execPath,
    ["node_modules/vitest/vitest.mjs", "run", "--reporter=dot", ...files],
    {
      cwd: CHECKOUT,
      env: { ...process.env, MSM_TEST_SEED: String(seed) },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
  return { exitCode, output: Buffer.concat(chunks).toString() };
}
