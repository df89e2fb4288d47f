// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Soak } from "./soak.ts";

const HELP = `Usage: npm run soak -- [NAME…] [--minutes N] [--list]

What only time shows: leaks, and what goes wrong once in ten thousand times.

  --minutes N  run each for so long; unless said, each does what its title says
  --list       names the soaks and ends`;

const MS_PER_MINUTE = 60_000;

const names = readdirSync(new URL(".", import.meta.url), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { minutes: { type: "string" }, list: { type: "boolean" }, help: { type: "boolean" } },
  });
  const unknown = positionals.find((name) => !names.includes(name));
  const minutes = values.minutes === undefined ? Number.POSITIVE_INFINITY : Number(values.minutes);
  if (values.help || unknown !== undefined || !(minutes > 0)) {
    if (unknown !== undefined) console.error(`no soak "${unknown}": there are ${names.join(", ")}`);
    console.log(HELP);
    return values.help ? 0 : 2;
  }
  let failures = 0;
  for (const name of positionals.length > 0 ? positionals : names) {
    const { soak } = (await import(`./${name}/index.js`)) as { readonly soak: Soak };
    console.log(`${name}: ${soak.title}`);
    if (values.list) continue;
    try {
      const deadlineMs = performance.now() + minutes * MS_PER_MINUTE;
      await soak.run({ deadlineMs, tell: (line) => console.log(`  ${line}`) });
      console.log("  ok");
    } catch (error) {
      failures++;
      console.error(`  FAILED  ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return failures === 0 ? 0 : 1;
}

process.exit(await main());
