// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { Scenario } from "../../runner/suite.ts";
import { startEchoMesh } from "../../traffic/echo-mesh.ts";
import { Heartbeat } from "../../traffic/heartbeat.ts";

const LIMIT_MS = 200;

/** A gap has two causes, the proxy and whatever else the machine does just then: the shorter of two is the proxy's. */
const DEATHS = 2;

/** The only datapath worker dies as by a defect, so that every listener and session is its own. */
export function workerKilled(io: string): Scenario {
  return {
    title: `a datapath worker that dies is rebuilt, and its listeners serve again within ${LIMIT_MS} ms (--io ${io})`,
    run: async (context) => {
      const proxyArgs = ["--enable-fault-injection"];
      const { mesh, port } = await startEchoMesh(context, { io, concurrency: 1, proxyArgs });
      const session = await Heartbeat.start("127.0.0.1", port);
      await session.beats(100);
      const gapsMs: number[] = [];
      for (let death = 0; death < DEATHS; death++) {
        session.resetCounts();
        await mesh.admin.post("/workers/kill?worker=0");
        await session.beats(100);
        gapsMs.push(session.longestGapMs);
        (await Heartbeat.start("127.0.0.1", port)).close();
      }
      const { sent } = session;
      const lost = await session.finish();
      const gaps = `${gapsMs.map((ms) => ms.toFixed(0)).join(", ")} ms without an answer`;
      context.note(`${gaps}, ${lost} of the last ${sent} datagrams lost`);
      assert.ok(Math.min(...gapsMs) <= LIMIT_MS, gaps);
      assert.equal(mesh.proxy.exit, undefined, "the proxy ended");
      const metrics = await mesh.admin.text("/stats/prometheus");
      assert.match(
        metrics,
        /^msm_worker_restarts_total 2$/m,
        "the proxy counted another number of rebuilt workers",
      );
    },
  };
}
