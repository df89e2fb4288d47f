// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { ResourceStore } from "./mesh/resource-store.ts";
import { kinds } from "./model/index.ts";
import { refusalCodes } from "./refusal-codes.ts";
import { readText } from "./testing/read-text.ts";

const path = fileURLToPath(new URL("../README.md", import.meta.url));
const readme = readFileSync(path, "utf8");

test("the README's table of refusal codes is the source's (`vitest run -u` writes it)", async () => {
  const rows = Object.entries(refusalCodes).map(
    ([code, { meaning, remedy }]) => `| \`${code}\` | ${meaning} | ${remedy} |`,
  );
  const table = ["| code | means | do this |", "|---|---|---|", ...rows].join("\n");
  const between = /(<!-- refusal-codes:begin -->\n)[\s\S]*(\n<!-- refusal-codes:end -->)/;
  expect(readme).toMatch(between);
  await expect(readme.replace(between, `$1${table}$2`)).toMatchFileSnapshot(path);
});

test("the README's example mesh is accepted", () => {
  const [, yaml] = /```yaml\n([\s\S]*?)```/.exec(readme) ?? [];
  expect(new ResourceStore().apply(readText(yaml ?? "")).refusals).toEqual([]);
});

test("the README names every kind with its API versions", () => {
  for (const { kind, apiVersions } of Object.values(kinds)) {
    for (const version of apiVersions) expect(readme).toMatch(new RegExp(`\`${kind}\`.*\`${version}\``));
  }
});
