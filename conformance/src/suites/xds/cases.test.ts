// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const readme = readFileSync(join(root, "conformance/xds/README.md"), "utf8");

/** The rows of the list: the case's number and the files that show it. */
const rows = [...readme.matchAll(/^\| (\d+) \|.*\| ([^|]*) \|$/gm)].map(([, number, shownBy]) => ({
  number: Number(number),
  files: [...shownBy!.matchAll(/\]\(\.\.\/\.\.\/([^)]+)\)/g)].map(([, path]) => path!).sort(),
}));

/** Every file with tests or scenarios of the xDS server, and the case numbers in front of their titles. */
const shown = new Map<number, string[]>();
for (const folder of ["control-plane/src", "conformance/src/suites/xds"]) {
  for (const entry of readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).sort()) {
    if (entry === "cases.test.ts") continue;
    const isScenario = folder.startsWith("conformance") && !entry.includes(".test.");
    if (!entry.endsWith(".test.ts") && !(isScenario && entry.endsWith(".ts"))) continue;
    for (const number of caseNumbers(readFileSync(join(root, folder, entry), "utf8"))) {
      shown.set(number, [...(shown.get(number) ?? []), `${folder}/${entry}`]);
    }
  }
}

/** The numbers of `test("38, 39: …")` and of `title: "85: …"`. */
function caseNumbers(source: string): ReadonlySet<number> {
  const titles = source.matchAll(/(?:\btest(?:\.each\([^"'`]*\))?\(\s*|\btitle: )["`](\d+(?:, \d+)*): /g);
  return new Set([...titles].flatMap(([, numbers]) => numbers!.split(", ").map(Number)));
}

test("the list has each of the 104 cases once, in order", () => {
  expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 104 }, (_, index) => index + 1));
});

test.each(rows)(
  "case $number is shown by the tests that the list names, and by no other",
  ({ number, files }) => {
    expect(files.length).toBeGreaterThan(0);
    expect(files).toEqual([...(shown.get(number) ?? [])].sort());
  },
);
