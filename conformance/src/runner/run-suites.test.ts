// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { findSuites } from "./find-suites.ts";
import { mayInstall } from "./needs.ts";
import { runSuites, totalsLine } from "./run-suites.ts";
import type { Need, Scenario } from "./suite.ts";

const folder = mkdtempSync(join(tmpdir(), "msm-runner-"));
beforeEach(() => {
  vi.stubEnv("CI", "");
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

async function run(scenarios: readonly Scenario[], needs: readonly Need[] = []) {
  const lines: string[] = [];
  const suites = [{ name: "fake", suite: { title: "a suite", needs, scenarios } }];
  const totals = await runSuites(suites, folder, (line) => lines.push(line));
  return { totals, text: lines.join("\n") };
}

const missing: Need = { name: "a peer", find: ["/nonexistent/peer"], packages: ["peer-tools"] };

test("counts what passed and failed, says why, and keeps the logs of failures alone", async () => {
  const { totals, text } = await run([
    { title: "is fine", run: async (context) => context.note("42 of 42") },
    { title: "is not", run: () => Promise.reject(new Error("seven lost", { cause: new Error("no route") })) },
  ]);
  expect(totalsLine(totals)).toBe("1 passed, 1 failed");
  expect(text).toMatch(/ok +is fine.*\n.*42 of 42/);
  expect(text).toMatch(/FAIL +is not.*\n +seven lost\n +caused by: no route/);
  expect([1, 2].map((scenario) => existsSync(join(folder, "fake", String(scenario))))).toEqual([false, true]);
});

test("names a missing peer, how to install it, and skips", async () => {
  const { totals, text } = await run([{ title: "talks to it", run: async () => undefined }], [missing]);
  expect(totalsLine(totals)).toBe("0 passed, 0 failed, 1 skipped");
  expect(text).toContain("apt-get install -y --no-install-recommends peer-tools");
  expect(text).toContain("skip  talks to it (needs a peer)");
});

test("skips a scenario for which this machine lacks something, also in continuous integration, and names it", async () => {
  vi.stubEnv("CI", "true");
  const { totals, text } = await run([
    { title: "makes a namespace", lacks: () => "root", run: () => Promise.reject(new Error("it ran")) },
    { title: "does not", lacks: () => undefined, run: async () => undefined },
  ]);
  expect(totalsLine(totals)).toBe("1 passed, 0 failed, 1 skipped");
  expect(text).toContain("skip  makes a namespace (needs root)");
});

test("names the wheel of a missing peer with the command that unpacks it", async () => {
  const need: Need = { ...missing, packages: [], wheel: "peer==1.0" };
  const { text } = await run([{ title: "talks to it", run: async () => undefined }], [need]);
  expect(text).toMatch(/missing, try: \/usr\/bin\/python3 -m pip install .* peer==1\.0/);
});

test("gives up a scenario that hangs, and ends what it started", async () => {
  let isEnded = false;
  const { totals, text } = await run([
    {
      title: "hangs",
      timeoutMs: 200,
      run: async (context) => {
        const args = ["-e", "setInterval(() => {}, 1000)"];
        const peer = context.startPeer({
          name: "p",
          command: process.execPath,
          args,
          timeoutMs: 9000,
          folder,
        });
        void peer.ended.then(() => {
          isEnded = true;
        });
        await new Promise(() => undefined);
      },
    },
  ]);
  expect(totals.failed).toBe(1);
  expect(text).toContain("not done after 200 ms");
  expect(isEnded).toBe(true);
});

test("keeps a peer's command line and output, and tells its last words when it fails", async () => {
  const { text } = await run([
    {
      title: "starts a peer that fails",
      run: async (context) => {
        const args = ["-e", "console.error('no such codec'); process.exit(4)"];
        await context
          .startPeer({ name: "p", command: process.execPath, args, timeoutMs: 9000, folder })
          .succeeded();
      },
    },
  ]);
  expect(text).toMatch(/p ended with 4:\n.*no such codec/);
  expect(readFileSync(join(folder, "fake/1/p.log"), "utf8")).toMatch(/^\$ .*-e.*no such codec.*\[exit 4\]/s);
});

test("installs packages only in continuous integration, as root", () => {
  expect([mayInstall({ CI: "true" }, 0), mayInstall({ CI: "true" }, 1000), mayInstall({}, 0)]).toEqual([
    true,
    false,
    false,
  ]);
});

test("finds every suite by its folder, each with scenarios, and names them all when asked for another", async () => {
  const suites = await findSuites([]);
  const names = suites.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["config", "faults", "rtp", "udp", "xds"]));
  for (const { suite } of suites) expect(suite.scenarios.length).toBeGreaterThan(0);
  await expect(findSuites(["nonsense"])).rejects.toThrow(`Suites: ${names.join(", ")}`);
});
