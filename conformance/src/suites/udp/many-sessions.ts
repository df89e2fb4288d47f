// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { Scenario } from "../../runner/suite.ts";
import { startEchoMesh } from "../../traffic/echo-mesh.ts";
import { runSessionLoad } from "../../traffic/session-load.ts";

const SESSIONS = 1000;
const DATAGRAMS = 60_000;
const PER_SECOND = 10_000;

/** Many clients at once, each with its own session, through one backend of the datapath. */
export function manySessions(io: string): Scenario {
  return {
    title: `1,000 sessions echo 60,000 datagrams, none lost, changed or crossed (--io ${io})`,
    timeoutMs: 90_000,
    run: async (context) => {
      const { port, endpoints } = await startEchoMesh(context, { io, concurrency: 2 });
      const load = {
        address: "127.0.0.1",
        port,
        sessions: SESSIONS,
        datagrams: DATAGRAMS,
        perSecond: PER_SECOND,
      };
      const result = await runSessionLoad(load);
      const { returned, corrupted, crossed, seconds } = result;
      context.note(`${returned} datagrams there and back in ${seconds.toFixed(1)} s`);
      assert.deepEqual({ returned, corrupted, crossed }, { returned: DATAGRAMS, corrupted: 0, crossed: 0 });
      const wandering = result.endpoints.filter((answered) => answered.size !== 1).length;
      assert.equal(wandering, 0, "sessions that changed their endpoint");
      for (const number of [1, 2]) {
        const sessions = result.endpoints.filter((answered) => answered.has(number)).length;
        const message = `endpoint ${number} has ${sessions} of ${SESSIONS} sessions`;
        assert.ok(Math.abs(sessions - SESSIONS / 2) <= 1, message);
      }
      const upstreamPorts = endpoints.reduce((total, endpoint) => total + endpoint.clients.size, 0);
      assert.equal(upstreamPorts, SESSIONS, "ports that the proxy used towards the endpoints");
    },
  };
}
