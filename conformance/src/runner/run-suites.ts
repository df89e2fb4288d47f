// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { join } from "node:path";
import type { NamedSuite } from "./find-suites.ts";
import { install, installCommands, isThere, mayInstall } from "./needs.ts";
import { runScenario } from "./run-scenario.ts";
import type { Need } from "./suite.ts";

/** How many scenarios passed, failed, and were left out since a peer is missing. */
export interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

/** Runs suites one after the other and prints their progress. Logs of failures are kept in `folder`. */
export async function runSuites(
  suites: readonly NamedSuite[],
  folder: string,
  print: (line: string) => void,
): Promise<Totals> {
  const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
  if (mayInstall()) installMissing(suites, print);
  for (const named of suites) await runSuite(named, folder, print, totals);
  return totals;
}

/** The last line of a run. */
export function totalsLine({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

function installMissing(suites: readonly NamedSuite[], print: (line: string) => void): void {
  const missing = suites.flatMap(({ suite }) => suite.needs).filter((need) => !isThere(need));
  if (missing.length === 0) return;
  print(`install  ${missing.flatMap(({ packages, wheel = [] }) => [...packages, wheel].flat()).join(" ")}`);
  const problem = install(missing);
  if (problem !== undefined) print(`install  failed: ${problem}`);
}

async function runSuite(
  { name, suite }: NamedSuite,
  folder: string,
  print: (line: string) => void,
  totals: Totals,
): Promise<void> {
  print(`\n${name}: ${suite.title}`);
  const missing = suite.needs.filter((need) => {
    const found = isThere(need);
    print(`  peer  ${need.name}: ${found ? "found" : howToGet(need)}`);
    return !found;
  });
  for (const [index, scenario] of suite.scenarios.entries()) {
    if (missing.length > 0) {
      const names = missing.map((need) => need.name).join(", ");
      // In continuous integration a peer that cannot be had must not pass for success.
      const isFailure = process.env.CI === "true";
      totals[isFailure ? "failed" : "skipped"]++;
      print(`  ${isFailure ? "FAIL" : "skip"}  ${scenario.title} (needs ${names})`);
      continue;
    }
    const lack = scenario.lacks?.();
    if (lack !== undefined) {
      totals.skipped++;
      print(`  skip  ${scenario.title} (needs ${lack})`);
      continue;
    }
    const result = await runScenario(scenario, join(folder, name, String(index + 1)));
    totals[result.error ? "failed" : "passed"]++;
    print(`  ${result.error ? "FAIL" : "ok  "}  ${scenario.title} (${result.seconds.toFixed(1)} s)`);
    for (const note of result.notes) print(`          ${note}`);
    if (result.error) {
      print(describe(result.error).replaceAll(/^/gm, "        "));
      print(`        logs: ${result.folder}`);
    }
  }
}

function howToGet(need: Need): string {
  const commands = installCommands([need]);
  return commands.length > 0
    ? `missing, try: ${commands.join(" && ")}`
    : "not to be had; it is fetched when the suite runs";
}

/** An error with what caused it. */
function describe(error: Error): string {
  return error.cause instanceof Error
    ? `${error.message}\ncaused by: ${describe(error.cause)}`
    : error.message;
}
