// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { ScenarioContext } from "./runner/suite.ts";

const run = promisify(execFile);
const CLI = fileURLToPath(new URL("../../deploy/dist/cli/main.js", import.meta.url));

/** Below the filters, where the SDK is found; nothing of it is kept in the repository. */
const BUILD = fileURLToPath(new URL("../../filters/build/", import.meta.url));

/** Runs `msm filter …` as a user would. Throws with what it said where it fails. */
export async function filterCommand(...args: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [CLI, "filter", ...args]);
  return stdout;
}

/** A folder for filters of a scenario, which goes with it. */
export async function filterWorkshop(context: ScenarioContext): Promise<string> {
  await mkdir(BUILD, { recursive: true });
  const folder = await mkdtemp(`${BUILD}workshop-`);
  context.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
