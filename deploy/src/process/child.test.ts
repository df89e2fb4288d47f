// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Child } from "./child.ts";
import { exitWithParentUrl } from "./exit-with-parent.ts";
import { until } from "./until.ts";

const folder = mkdtempSync(join(tmpdir(), "msm-child-"));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, program: string): string {
  const script = join(folder, `${name}.mjs`);
  writeFileSync(script, program);
  return script;
}

function start(name: string, program: string): Child {
  return Child.start({ name, args: [write(name, program)], logPath: join(folder, `${name}.log`) });
}

const STAY = "setInterval(() => {}, 1000);";

test("finds a log line that was written before it was asked for, and keeps the log in a file", async () => {
  const child = start("early", `console.log("no JSON"); console.log('{"port":7}'); ${STAY}`);
  const port = () => child.logged("a port", ({ port }) => port as number | undefined);
  expect([await port(), await port()]).toEqual([7, 7]);
  expect(await child.stop()).toEqual({ code: null, signal: "SIGTERM" });
  expect(readFileSync(child.logPath, "utf8")).toBe('no JSON\n{"port":7}\n');
});

test("says how a child ended and what it wrote last when the line never comes", async () => {
  const child = start("broken", 'console.error("bad luck"); process.exitCode = 3;');
  await expect(child.logged("a port", () => undefined)).rejects.toThrow(/exit 3.*a port.*bad luck/s);
  expect(child.exit).toEqual({ code: 3, signal: null });
});

test("gives up waiting for a line after the time given", async () => {
  const child = start("silent", STAY);
  await expect(child.logged("a port", () => undefined, 50)).rejects.toThrow("50 ms passed");
  child.kill("SIGKILL");
  expect((await child.exited).signal).toBe("SIGKILL");
});

test("does not outlive a parent that is killed", async () => {
  const grandchild = write("grandchild", `console.log(process.pid); ${STAY}`);
  const spawnArgs = JSON.stringify(["--import", exitWithParentUrl, grandchild]);
  const parent = spawn(process.execPath, [
    write(
      "parent",
      `import { spawn } from "node:child_process";
       const child = spawn(process.execPath, ${spawnArgs}, { stdio: ["ignore", "pipe", "ignore", "ipc"], detached: true });
       child.stdout.pipe(process.stdout);`,
    ),
  ]);
  const pid = await new Promise<number>((resolve) =>
    parent.stdout.once("data", (text) => resolve(Number(text))),
  );
  expect(isRunning(pid)).toBe(true);
  parent.kill("SIGKILL");
  await until("the grandchild was gone", () => !isRunning(pid));
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // Where nobody reaps orphans, what remains of them is a zombie.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
