// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { findSuites } from "./runner/find-suites.ts";
import { runSuites, totalsLine } from "./runner/run-suites.ts";

const HELP = `npm run conformance [-- NAME…] [--list]   the mesh against real peers

  NAME     run these suites only; a suite is a folder in conformance/src/suites
  --list   say what there is, and run nothing`;

const folder = fileURLToPath(new URL("../../.msm/conformance", import.meta.url));

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { list: { type: "boolean" }, help: { type: "boolean" } },
    allowPositionals: true,
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const suites = await findSuites(positionals);
  if (values.list) {
    for (const { name, suite } of suites) {
      console.log(`${name}: ${suite.title}`);
      for (const { title } of suite.scenarios) console.log(`  ${title}`);
    }
    return 0;
  }
  const totals = await runSuites(suites, folder, (line) => console.log(line));
  console.log(`\n${totalsLine(totals)}`);
  return totals.failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
// A scenario that was given up may have left a promise behind; nothing of it is worth waiting for.
process.exit();
