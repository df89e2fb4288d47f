// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { Continue, checkContract, Drop, FilterHarness } from "@msm/filter-sdk/testing";
import { expect, test } from "vitest";

const root = import.meta.dirname;

/** Folders that are no filters: the SDK, examples of languages, and what is built. */
const OTHERS = ["sdk", "examples", "dist", "build", "node_modules"];

interface Manifest {
  readonly name: string;
  readonly description: string;
  readonly status: "stable" | "alpha" | "wip";
  readonly securityPosture: string;
}

const names = readdirSync(root).filter(
  (name) => !OTHERS.includes(name) && statSync(path.join(root, name)).isDirectory(),
);

const manifest = (name: string): Manifest =>
  JSON.parse(readFileSync(path.join(root, name, "filter.json"), "utf8")) as Manifest;

test("there are filters", () => {
  expect(names).toContain("rtp-stats");
});

test.each(names)("the folder %s has everything that a filter has", (name) => {
  const parts = ["filter.json", "README.md", `${name}.test.ts`, `${name}.bench.ts`];
  const missing = parts.filter(
    (part) => statSync(path.join(root, name, part), { throwIfNoEntry: false }) === undefined,
  );
  expect(missing).toEqual([]);
});

test.each(names)("the manifest of %s is complete", (name) => {
  expect(manifest(name)).toEqual({
    name,
    description: expect.stringMatching(/^[A-Z].{20,120}\.$/),
    status: expect.stringMatching(/^(stable|alpha|wip)$/),
    securityPosture: expect.stringMatching(/^[a-z_]+$/),
  });
});

test.each(names)("%s keeps the contract of all filters", async (name) => {
  const results = await checkContract(path.join(root, name));
  expect(results.filter(({ problem }) => problem !== null)).toEqual([]);
});

test("the table in README.md is that of the manifests", () => {
  const rows = names.map((name) => {
    const { status, description } = manifest(name);
    return `| [${name}](${name}/README.md) | ${status} | ${description} |`;
  });
  const readme = readFileSync(path.join(root, "README.md"), "utf8");
  const [, table] = /<!-- filters:[^\n]*\n(.*?)\n<!-- \/filters -->/s.exec(readme) ?? [];
  expect(table?.split("\n").slice(2)).toEqual(rows);
});

test("the filter that README.md shows compiles and does what it says", async () => {
  const readme = readFileSync(path.join(root, "README.md"), "utf8");
  const [, source] = /```ts\n(.*?)```/s.exec(readme) ?? [];
  const folder = path.join(root, "build/drop-tiny");
  await mkdir(path.join(folder, "assembly"), { recursive: true });
  await writeFile(path.join(folder, "assembly/index.ts"), source ?? "");
  const filter = await FilterHarness.load(folder, { minimum: 3 });
  expect(filter.run([new Uint8Array(2), new Uint8Array(3)])).toMatchObject({
    actions: [Drop, Continue],
    reasons: [1, 0],
  });
  expect(filter.metric('msm_filter_dropped_total{reason="too_short"}')).toBe(1);
});
