// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

const TABLE = /(<!-- filters:[^\n]*\n\|[^\n]*\n\|[^\n]*\n).*?(<!-- \/filters -->)/s;

/** Writes the table of filters in `folder`/README.md anew, from each filter's manifest. Does nothing without a table. */
export async function updateTable(folder: string): Promise<void> {
  const file = path.join(folder, "README.md");
  const readme = await readFile(file, "utf8").catch(() => "");
  if (!TABLE.test(readme)) return;
  const rows: string[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const text = await readFile(path.join(folder, name, "filter.json"), "utf8").catch(() => null);
    if (text === null) continue;
    const { status, description } = JSON.parse(text) as {
      readonly status: string;
      readonly description: string;
    };
    rows.push(`| [${name}](${name}/README.md) | ${status} | ${description} |\n`);
  }
  await writeFile(
    file,
    readme.replace(TABLE, (_, head: string, end: string) => head + rows.join("") + end),
  );
}
