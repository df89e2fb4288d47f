// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { cp, readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { pingScenarios } from "../../proxy-wasm/ping-scenarios.ts";
import { runTool } from "../../proxy-wasm/run-tool.ts";
import type { ScenarioContext, Suite } from "../../runner/suite.ts";

/** The same relative path from `src` and from `dist`. */
const MODULE = fileURLToPath(new URL("../../../src/suites/proxy-wasm-as/module", import.meta.url));

const SDK = "@solo-io/proxy-runtime@0.1.8";

/** What the SDK is developed with; later ones have another garbage collector. */
const COMPILER = "assemblyscript@0.14.9";

/** Fetches both into a folder of the scenario's, so that nothing of this project depends on them. */
async function build({ folder }: ScenarioContext): Promise<Uint8Array> {
  await cp(MODULE, folder, { recursive: true });
  await runTool(folder, "npm", [
    "install",
    "--no-save",
    "--ignore-scripts",
    "--prefix",
    folder,
    SDK,
    COMPILER,
  ]);
  const asc = path.join(folder, "node_modules/assemblyscript/bin/asc");
  const args = ["assembly/index.ts", "-b", "ping.wasm", "--use", "abort=abort_proc_exit", "--optimize"];
  await runTool(folder, process.execPath, [asc, ...args]);
  return readFile(path.join(folder, "ping.wasm"));
}

/** Proxy-Wasm network filters as the SDK for AssemblyScript makes them. */
export const suite: Suite = {
  title: "Proxy-Wasm network filters of the published AssemblyScript SDK run as they are",
  needs: [{ name: `${SDK} from npm`, find: ["npm", "view", SDK, "version"], packages: [] }],
  scenarios: pingScenarios({ name: SDK, rootId: "ping", build }),
};
