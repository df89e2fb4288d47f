// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { readFile } from "node:fs/promises";

const README = new URL("../../../../filters/README.md", import.meta.url);
const HEADING = "## Write a filter in ten minutes";

/** What a page says to type. */
export interface ReadmeSteps {
  /** The command lines, without their comments. */
  readonly commands: readonly string[];
  /** What to add to the mesh's resources. */
  readonly yaml: string;
}

/** Reads the steps of "Write a filter in ten minutes" from the page itself. Throws where it has none. */
export async function readSteps(): Promise<ReadmeSteps> {
  const text = await readFile(README, "utf8");
  const section = text.slice(text.indexOf(HEADING) + HEADING.length).split(/^## /m)[0] ?? "";
  const [, commands] = /^```\n(.*?)^```$/ms.exec(section) ?? [];
  const [, yaml] = /^```yaml\n(.*?)^```$/ms.exec(section) ?? [];
  if (commands === undefined || yaml === undefined) throw new Error(`no steps under "${HEADING}"`);
  return { commands: commands.trim().split("\n").map(withoutComment), yaml };
}

function withoutComment(line: string): string {
  return line.replace(/\s+# .*$/, "");
}
