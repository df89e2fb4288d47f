// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { Action } from "../../datapath/batch.ts";
import { checkFilter } from "../check-filter.ts";
import { ScriptBench, scriptPlan } from "../testdata/script-filter.ts";

/** Ten times what they take on an idle machine, and far below the watchdog's patience. */
const SOON_MS = 1_900;

const inCallback = (body: string): string => `export function onDatagrams() { ${body} }`;

test.each([
  ["loops", "for (;;) ;", "overrun"],
  ["loops in a built-in function", `for (;;) "x".repeat(1e6).indexOf("y");`, "overrun"],
  ["loops in a regular expression", `/(a+)+$/.test("a".repeat(60) + "b");`, "overrun"],
  ["sorts for ever", "for (;;) [...Array(1e5).keys()].sort((a, b) => b - a);", "overrun"],
  ["computes with endless numbers", "let n = 3n; for (;;) n *= n;", "(overrun|trap)"],
  ["floods the host with calls", "for (;;) msm.setContext(1);", "overrun"],
  ["catches what ends it", "for (;;) try { for (;;) msm.setContext(1); } catch {}", "overrun"],
  ["recurses without end", "(function again() { return again() + 1; })();", "trap"],
  [
    "fills its memory with arrays",
    "const all = []; for (;;) all.push(new Uint8Array(1e5));",
    "(trap|overrun)",
  ],
  ["fills its memory with objects", "const all = []; for (;;) all.push([1, 2, 3]);", "(trap|overrun)"],
])("a script that %s is stopped soon, and its datagrams go on", async (_, body, kind) => {
  const bench = await ScriptBench.load(inCallback(body), { failurePolicy: "FAIL_OPEN" });
  const startedAt = performance.now();
  const batch = bench.run([[1, 2]]);
  expect(performance.now() - startedAt).toBeLessThan(SOON_MS);
  expect(bench.said).toMatch(new RegExp(`failed \\(${kind}\\)`));
  expect([batch.action(0), ...batch.payload(0)]).toEqual([Action.Continue, 1, 2]);
});

test("a script has at most 32 MiB, whatever it does", async () => {
  const source = `const all = [];
    export function onDatagrams() { try { for (;;) all.push(new Uint8Array(1e5)); } catch {} }`;
  const bench = await ScriptBench.load(source);
  bench.run([[1]]);
  expect(bench.chain.memoryBytes).toBeLessThanOrEqual(32 * 1024 * 1024);
  expect(bench.chain.memoryBytes).toBeGreaterThan(20 * 1024 * 1024);
});

test("a script that spoils the functions it was given harms itself alone", async () => {
  const source = `export function onDatagrams(batch) {
      Object.getPrototypeOf(batch).at = () => { throw new Error("spoilt"); };
      Array.prototype.push = Uint8Array.prototype.set = () => {};
      batch.at(0).data.buffer.transfer?.();
      batch.at(0).length = 1;
    }`;
  const spoilt = await ScriptBench.load(source, { failurePolicy: "FAIL_OPEN" });
  const other = await ScriptBench.load(`export function onDatagrams(batch) { batch.at(0).drop(); }`);
  expect(spoilt.run([[1, 2]]).action(0)).toBe(Action.Continue);
  expect(other.run([[1, 2]]).action(0)).toBe(Action.Drop);
});

test.each([
  ["cannot be parsed", "export function (", "MSM_FILTER_START", "SyntaxError"],
  ["exports no callback", "export const answer = 42;", "MSM_FILTER_START", "export function onDatagrams"],
  ["imports something", `import fs from "fs"; ${inCallback("")}`, "MSM_FILTER_START", "fs"],
  ["loops while it is loaded", `for (;;) ; ${inCallback("")}`, "MSM_FILTER_START", "too many instructions"],
  [
    "throws when it is configured",
    `export function configure() { throw new Error("no codec"); } ${inCallback("")}`,
    "MSM_FILTER_CONFIG",
    "no codec",
  ],
  [
    "refuses its configuration",
    `export function configure() { msm.error("minimum is missing"); return false; } ${inCallback("")}`,
    "MSM_FILTER_CONFIG",
    "minimum is missing",
  ],
  [
    "wishes nonsense",
    `export const wants = { window: -1 }; ${inCallback("")}`,
    "MSM_FILTER_START",
    "wants.window",
  ],
])("a script that %s is refused", async (_, source, code, reason) => {
  const plan = await scriptPlan(source);
  const refused = expect(() => checkFilter(plan, "configuration"));
  refused.toThrow(expect.objectContaining({ code }));
  refused.toThrow(reason);
});

test("bytes that are no text are no script", async () => {
  await expect(scriptPlan("\ud800").then(() => "compiled")).resolves.toBe("compiled");
  const { compileFilter } = await import("../compile-filter.ts");
  await expect(compileFilter(Uint8Array.of(0xff, 0xfe), "code", "script")).rejects.toThrow("UTF-8");
});

test("a script may use the capabilities that it was given and no others", async () => {
  const source = `export function onDatagrams(batch) { msm.info("hello"); batch.at(0).drop(); }`;
  const bench = await ScriptBench.load(source, { capabilities: ["msm_on_datagrams"] });
  bench.run([[1]]);
  expect(bench.said).toContain("msm.log answered InternalFailure");
});
