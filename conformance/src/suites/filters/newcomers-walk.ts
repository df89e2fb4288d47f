// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { until } from "@msm/deploy";
import { filterCommand, filterWorkshop } from "../../filter-command.ts";
import type { Scenario } from "../../runner/suite.ts";
import { Heartbeat } from "../../traffic/heartbeat.ts";
import { startFilterMesh } from "./filter-mesh.ts";

/** "Within seconds", from the build's end on: the control plane's look, the proxy's trial, and the trial of sessions. */
const EFFECT_MS = 10_000;

/** What a language's template says, and the line that makes it drop everything. */
const WALKS = [
  { lang: "as", file: "assembly/index.ts", suffix: ".wasm", line: "datagram.len < this.minimum" },
  { lang: "js", file: "filter.js", suffix: ".js", line: "datagram.length < minimum" },
] as const;

/** The steps of "Write a filter in ten minutes" against a mesh that runs, with a session that lives. */
export const newcomersWalks: readonly Scenario[] = WALKS.map(({ lang, file, suffix, line }) => ({
  title: `a new filter in ${lang} is made, built, loaded and edited while the mesh runs, without a restart`,
  run: async (context) => {
    const workshop = await filterWorkshop(context);
    const folder = path.join(workshop, "my-filter");
    const built = path.join(folder, "build", `my-filter${suffix}`);
    await filterCommand("new", "my-filter", "--into", workshop, "--lang", lang);
    await filterCommand("build", folder);
    const { filteredPort } = await startFilterMesh(context, { file: built });
    const session = await Heartbeat.start("127.0.0.1", filteredPort);
    context.defer(() => session.close());
    await session.beats(20);

    const source = await readFile(path.join(folder, file), "utf8");
    assert.ok(source.includes(line), `${file} has the line "${line}"`);
    await writeFile(path.join(folder, file), source.replace(line, "true"));
    await filterCommand("build", folder);
    const editedAt = performance.now();
    await until("everything is dropped", () => session.longestGapMs > 500, EFFECT_MS);
    context.note(
      `${lang}: ${Math.round(performance.now() - editedAt - 500)} ms from the build to the effect`,
    );

    await writeFile(path.join(folder, file), source);
    await filterCommand("build", folder);
    const mendedAt = performance.now();
    session.resetCounts();
    await until("datagrams pass again", () => session.endpoints.length > 0, EFFECT_MS);
    context.note(`${lang}: ${Math.round(performance.now() - mendedAt)} ms back again`);
  },
}));
