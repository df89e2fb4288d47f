// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Rows that are worth reading. */
const ROWS = 30;

/** Says where the time of a relay goes, once for each measurement. */
export interface Profiler {
  /** What Node is started with, so that its functions have names. */
  readonly nodeFlags: readonly string[];
  /** Begins to look at a process, for so many seconds. */
  start(pid: number, seconds: number): void;
  /** To be called when the relay has ended. The functions that took most, with their share in percent. */
  finish(): Promise<readonly string[]>;
}

/** By `perf`, which sees the kernel and C, too, where it is there; else by V8's own sampling of JavaScript. */
export function createProfiler(): Profiler {
  const folder = mkdtempSync(join(tmpdir(), "msm-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return spawnSync("perf", ["--version"]).status === 0 ? perf(folder) : cpuProfile(folder);
}

function perf(folder: string): Profiler {
  const file = join(folder, "perf.data");
  let recorder: ChildProcess | undefined;
  return {
    nodeFlags: ["--perf-basic-prof"],
    start(pid, seconds) {
      const args = ["record", "-q", "-F", "997", "-e", "cpu-clock", "-o", file, "-p", String(pid)];
      recorder = spawn("perf", [...args, "--", "sleep", String(seconds)], { stdio: "ignore" });
    },
    async finish() {
      if (recorder?.exitCode === null) await new Promise((resolve) => recorder!.once("exit", resolve));
      const args = ["report", "--stdio", "-i", file, "-F", "overhead,comm,symbol"];
      const report = execFileSync("perf", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
      return report.split("\n").filter(isRow).slice(0, ROWS);
    },
  };
}

function isRow(line: string): boolean {
  return /^\s+\d/.test(line);
}

/** What of a `.cpuprofile` is read here. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
}

function cpuProfile(folder: string): Profiler {
  return {
    nodeFlags: ["--cpu-prof", "--cpu-prof-dir", folder],
    start() {
      // V8 samples from the start of the process to its end.
    },
    async finish() {
      const files = readdirSync(folder).map((name) => join(folder, name));
      const rows = topFunctions(files.map((file) => JSON.parse(readFileSync(file, "utf8")) as CpuProfile));
      for (const file of files) rmSync(file);
      return rows;
    },
  };
}

/** The functions of some threads' profiles in which most samples were taken. */
export function topFunctions(profiles: readonly CpuProfile[]): readonly string[] {
  const samples = new Map<string, number>();
  let total = 0;
  for (const { nodes, samples: taken } of profiles) {
    const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
    for (const id of taken) {
      const name = names.get(id) ?? "";
      if (name === "(idle)") continue;
      samples.set(name, (samples.get(name) ?? 0) + 1);
      total++;
    }
  }
  const sorted = [...samples].sort(([, a], [, b]) => b - a).slice(0, ROWS);
  return sorted.map(([name, count]) => `${((100 * count) / total).toFixed(2).padStart(6)}%  ${name}`);
}

function nameOf({ functionName, url }: { readonly functionName: string; readonly url: string }): string {
  const file = url.split("/").pop();
  return `${functionName || "(anonymous)"}${file ? ` ${file}` : ""}`;
}
