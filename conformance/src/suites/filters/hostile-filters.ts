// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { until } from "@msm/deploy";
import { filterWorkshop } from "../../filter-command.ts";
import type { Scenario } from "../../runner/suite.ts";
import { Heartbeat } from "../../traffic/heartbeat.ts";
import { startFilterMesh } from "./filter-mesh.ts";

/** Well behaved until it has seen some datagrams, so that no trial finds it out. */
const hostile = (deed: string): string => `
  let seen = 0;
  const all = [];
  export function onDatagrams(batch) {
    seen += batch.count;
    if (seen > 50) { ${deed} }
  }`;

const DEEDS = [
  { what: "loops", deed: "for (;;) ;", kind: "overrun" },
  { what: "fills its memory", deed: "for (;;) all.push(new Uint8Array(1e5));", kind: "trap" },
  { what: "breaks in mid-batch", deed: "batch.at(0).drop(); throw new Error('broken');", kind: "trap" },
  { what: "lies about a length", deed: "batch.at(0).length = 60000;", kind: "bad_output" },
  { what: "floods the host with calls", deed: "for (;;) msm.setContext(1);", kind: "overrun" },
] as const;

/** One listener's filter turns on the mesh; the other listener's session, in the same worker mostly, counts. */
export const hostileFilters: readonly Scenario[] = DEEDS.map(({ what, deed, kind }) => ({
  title: `a filter that ${what} is bypassed, and no session loses a datagram`,
  run: async (context) => {
    const file = path.join(await filterWorkshop(context), "hostile.js");
    await writeFile(file, hostile(deed));
    const { mesh, filteredPort, plainPort } = await startFilterMesh(context, {
      file,
      failurePolicy: "FailOpen",
    });
    const sessions = await Promise.all(
      [filteredPort, plainPort].map((port) => Heartbeat.start("127.0.0.1", port)),
    );
    await until("the filter has failed", async () => {
      const metrics = await mesh.admin.text("/stats/prometheus");
      return new RegExp(`^msm_filter_failures_total\\{[^}]*kind="${kind}"[^}]*\\} [1-9]`, "m").test(metrics);
    });
    for (const session of sessions) await session.beats(100);
    const longest = Math.max(...sessions.map(({ longestGapMs }) => longestGapMs));
    context.note(`${what}: longest gap ${Math.round(longest)} ms`);
    const lost = await Promise.all(sessions.map((session) => session.finish()));
    assert.deepEqual(lost, [0, 0], "datagrams lost by the session behind the filter, and by the other");
  },
}));
