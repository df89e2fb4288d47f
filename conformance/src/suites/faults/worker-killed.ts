// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { Scenario } from "../../runner/suite.ts";
import { startEchoMesh } from "../../traffic/echo-mesh.ts";
import { Heartbeat } from "../../traffic/heartbeat.ts";

const LIMIT_MS = 200;

/** The only datapath worker dies as by a defect, so that every listener and session is its own. */
export function workerKilled(io: string): Scenario {
  return {
    title: `a datapath worker that dies is rebuilt, and its listeners serve again within ${LIMIT_MS} ms (--io ${io})`,
    run: async (context) => {
      const proxyArgs = ["--enable-fault-injection"];
      const { mesh, port } = await startEchoMesh(context, { io, concurrency: 1, proxyArgs });
      const session = await Heartbeat.start("127.0.0.1", port);
      await session.beats(100);
      session.resetCounts();
      await mesh.admin.post("/workers/kill?worker=0");
      await session.beats(100);
      const gapMs = session.longestGapMs;
      (await Heartbeat.start("127.0.0.1", port)).close();
      const { sent } = session;
      const lost = await session.finish();
      context.note(`${gapMs.toFixed(0)} ms without an answer, ${lost} of ${sent} datagrams lost`);
      assert.ok(gapMs <= LIMIT_MS, `${gapMs.toFixed(0)} ms without an answer`);
      assert.equal(mesh.proxy.exit, undefined, "the proxy ended");
      const metrics = await mesh.admin.text("/stats/prometheus");
      assert.match(
        metrics,
        /^msm_worker_restarts_total 1$/m,
        "the proxy counted another number of rebuilt workers",
      );
    },
  };
}
