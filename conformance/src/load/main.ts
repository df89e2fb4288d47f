// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Bench } from "./bench.ts";
import { renderTable } from "./render-tables.ts";

const HELP = `Usage: npm run bench -- [NAME…] [--scenario NAME] [--rounds N] [--profile] [--list]

Measures what the proxy spends per datagram and how the control plane scales, beside others, in turn, on this machine.
The machine should do nothing else meanwhile. Needs a C compiler, and Go for a server made with go-control-plane; run as
root it uses a network namespace of its own, where no other traffic is.

  --rounds N       rounds of each scenario, 5 if not said
  --scenario NAME  only scenarios of that bench whose name begins so
  --profile        says where the time goes: by perf where it is there, else by V8's sampling of JavaScript
  --list           names the benches and ends`;

const here = new URL(".", import.meta.url);
const names = readdirSync(here, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: "string", default: "5" },
      scenario: { type: "string" },
      profile: { type: "boolean" },
      list: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  const unknown = positionals.find((name) => !names.includes(name));
  const rounds = Number(values.rounds);
  if (values.help || unknown !== undefined || !Number.isInteger(rounds) || rounds < 1) {
    if (unknown !== undefined) console.error(`no bench "${unknown}": there are ${names.join(", ")}`);
    console.log(HELP);
    return values.help ? 0 : 2;
  }
  const options = { scenario: values.scenario, isProfiled: values.profile ?? false };
  const chosen = positionals.length > 0 ? positionals : names;
  const benches = await Promise.all(chosen.map(load));
  if (!values.list && enterNamespace()) {
    for (const bench of benches) bench.prepare?.((line) => console.log(line));
    return runInNamespace();
  }
  const report: Record<string, unknown> = {
    node: process.version,
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    rounds,
  };
  for (const [index, name] of chosen.entries()) {
    const bench = benches[index]!;
    if (bench.isPart && positionals.length === 0 && !values.list) continue;
    console.log(`${name}: ${bench.title}`);
    if (values.list) continue;
    if (!isInNamespace()) bench.prepare?.((line) => console.log(line));
    const tables = await bench.run(rounds, (line) => console.log(`  ${line}`), options);
    report[name] = tables;
    for (const table of tables) console.log(`\n${renderTable(table)}`);
  }
  if (!values.list) writeReport(report);
  return 0;
}

async function load(name: string): Promise<Bench> {
  const { bench } = (await import(`./${name}/index.ts`)) as { readonly bench: Bench };
  return bench;
}

function isInNamespace(): boolean {
  return process.env.MSM_BENCH_NAMESPACE !== undefined;
}

/** Root measures where nothing else can send: a network namespace with a loopback of its own. */
function enterNamespace(): boolean {
  return process.getuid?.() === 0 && !isInNamespace() && spawnSync("unshare", ["-n", "true"]).status === 0;
}

function runInNamespace(): number {
  const command = 'ip link set lo up && exec "$0" "$@"';
  const args = [
    "-n",
    "sh",
    "-c",
    command,
    process.execPath,
    fileURLToPath(import.meta.url),
    ...process.argv.slice(2),
  ];
  return (
    spawnSync("unshare", args, { stdio: "inherit", env: { ...process.env, MSM_BENCH_NAMESPACE: "1" } })
      .status ?? 1
  );
}

function writeReport(report: object): void {
  const folder = new URL("../../build/bench/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  const file = new URL(`bench-${new Date().toISOString().replaceAll(":", "-")}.json`, folder);
  writeFileSync(file, JSON.stringify(report, null, 2));
  console.log(`\nThe same as JSON: ${fileURLToPath(file)}`);
}

process.exitCode = await main();
