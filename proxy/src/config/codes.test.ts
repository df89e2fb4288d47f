// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { codes, codesTable } from "./codes.ts";

const sources = new URL("../", import.meta.url).pathname;
const modules = readdirSync(sources, { recursive: true, encoding: "utf8" }).filter(
  (file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !file.includes("testdata"),
);

function codesUsed(files: readonly string[]): ReadonlySet<string> {
  const found = files.flatMap(
    (file) => readFileSync(join(sources, file), "utf8").match(/"MSM_[A-Z_]+"/g) ?? [],
  );
  return new Set(found.map((quoted) => quoted.slice(1, -1)));
}

test("every code that the proxy uses is in the table, and every code of the table is used", () => {
  const used = codesUsed(modules.filter((file) => !file.endsWith("codes.ts")));
  expect([...used].sort()).toEqual(codes.map(({ code }) => code).sort());
});

test("the README has the table as it is here", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  expect(readme).toContain(codesTable());
});
