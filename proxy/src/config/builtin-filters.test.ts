// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BuiltinFilters, installedFilters } from "./builtin-filters.ts";
import { builtinFolder, EMPTY_MODULE } from "./testdata/filters.ts";

const refusal = (folder: string | undefined, name: string) =>
  expect(new BuiltinFilters(folder).read(name, "code")).rejects;

test("a built-in filter is found by its name", async () => {
  const { bytes, trust } = await new BuiltinFilters(builtinFolder()).read("pass", "code");
  expect(new Uint8Array(bytes)).toEqual(EMPTY_MODULE);
  expect(trust).toBe("builtin");
});

test("a name that is not in the list is refused, and the message has those that are", async () => {
  await refusal(builtinFolder(), "fec").toThrow(
    /MSM_FILTER_BUILTIN: code: "fec" is no built-in filter; there are: pass/,
  );
});

test("without a folder, or without a list in it, it is said what to do", async () => {
  await refusal(undefined, "pass").toThrow(
    /no built-in filters are installed; give their folder with --filters/,
  );
  await refusal("/nowhere", "pass").toThrow(/\/nowhere\/filters\.json: .*; build the filters/);
});

test.each([
  ["no digest", { pass: { file: "pass.wasm" } }],
  ["a file outside of the folder", { pass: { file: "../pass.wasm", sha256: "00" } }],
  ["nothing", { pass: null }],
])("a list that has %s for a filter is refused", async (_, list) => {
  const folder = builtinFolder();
  writeFileSync(join(folder, "filters.json"), JSON.stringify(list));
  await refusal(folder, "pass").toThrow(/"pass" must have a file inside the folder and its sha256/);
});

test("a file that is not the one of the list is refused with both digests", async () => {
  await refusal(builtinFolder("ab"), "pass").toThrow(
    /MSM_FILTER_DIGEST_MISMATCH: .* SHA-256 [0-9a-f]{64}, but filters\.json says ab;/,
  );
});

test("the folder of the installed package is the default", () => {
  expect(installedFilters()).toMatch(/filters\/dist$/);
});
