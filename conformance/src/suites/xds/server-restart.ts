// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { until } from "@msm/deploy";
import { Authority } from "../../certificates.ts";
import type { Scenario } from "../../runner/suite.ts";
import { connectSwarm, SWARM, startServer } from "./swarm-site.ts";

/** A crash of the server under many clients, who all come back in the same moment. */
export const serverRestart: Scenario = {
  title: `killed and restarted under ${SWARM} TLS streams: all come back at once, none sees an error, all take the next change`,
  timeoutMs: 120_000,
  run: async (context) => {
    const authority = new Authority(context.folder);
    const tls = authority.issue("server", "DNS:localhost");
    const ca = readFileSync(authority.certificate, "utf8");
    const server = await startServer(context, { tls });
    const { swarm } = await connectSwarm(context, { port: server.port, ca });
    await server.kill();
    await until("every client noticed", () => swarm.errors.length === SWARM, 20_000);
    swarm.close();
    const again = await startServer(context, { tls, port: server.port });
    const back = await connectSwarm(context, { port: server.port, ca });
    const allMs = back.latenciesMs.at(-1)!;
    context.note(`all ${SWARM} had their configuration again after ${Math.round(allMs)} ms`);
    await again.change(SWARM);
    assert.deepEqual(back.swarm.errors, []);
  },
};
