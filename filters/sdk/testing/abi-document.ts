// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";

const DOCUMENT = new URL("../ABI.md", import.meta.url);

/** The text of `ABI.md`. */
export const abiDocument: string = await readFile(DOCUMENT, "utf8");

/** The rows of the first table under a heading, each as its cells without code marks. */
export function tableUnder(heading: string): readonly (readonly string[])[] {
  const [, section] = abiDocument.split(new RegExp(`^#+ ${heading}$`, "m"));
  const lines = (section ?? "").split("\n");
  const start = lines.findIndex((line) => line.startsWith("|"));
  const table = lines.slice(start);
  const end = table.findIndex((line) => !line.startsWith("|"));
  // The first two lines are the head and the rule below it.
  return table.slice(2, end < 0 ? undefined : end).map(cellsOf);
}

/** Names and numbers of a table whose first two columns are these. */
export function valuesUnder(heading: string): Readonly<Record<string, number>> {
  return Object.fromEntries(tableUnder(heading).map(([name, value]) => [name ?? "", Number(value)]));
}

function cellsOf(line: string): readonly string[] {
  return line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll("`", ""));
}
