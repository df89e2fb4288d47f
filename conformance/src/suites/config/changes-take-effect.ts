// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { freeUdpPorts, type Mesh, until } from "@msm/deploy";
import { meshYaml } from "../../mesh-yaml.ts";
import type { Scenario } from "../../runner/suite.ts";
import { startEchoMesh } from "../../traffic/echo-mesh.ts";
import { Heartbeat } from "../../traffic/heartbeat.ts";

const EFFECT_MS = 1000;

/** A listener, a filter and an endpoint are added one after the other under an established session. */
export const changesTakeEffect: Scenario = {
  title: "changes take effect within a second, and an established session loses nothing by them",
  run: async (context) => {
    const { mesh, port, endpoints } = await startEchoMesh(context);
    const [first] = endpoints;
    const [secondPort] = (await freeUdpPorts(1)) as [number];
    const session = await Heartbeat.start("127.0.0.1", port);
    await session.beats(1);
    const established = session.endpoints;
    const effect = async (what: string, yaml: string, isInEffect: (left: number) => Promise<void>) => {
      const startedAt = performance.now();
      mesh.writeConfig(yaml);
      await isInEffect(EFFECT_MS);
      context.note(
        `${what}: ${Math.round(performance.now() - startedAt)} ms from the file to the first datagram`,
      );
    };
    const address = "127.0.0.1";
    const echo = { name: "echo", port, endpoints };
    const listeners = [echo, { name: "second", port: secondPort, endpoints: [first!] }];
    await effect("a new listener", meshYaml({ address, listeners }), async (left) => {
      (await Heartbeat.start(address, secondPort, left)).close();
    });
    // Both listeners get another chain; the session stays where it is.
    const withFilter = [
      { ...echo, isRtp: true },
      { ...listeners[1]!, isRtp: true },
    ];
    await effect("a new filter", meshYaml({ address, listeners: withFilter }), async (left) => {
      await until("the filter had seen the session", () => filterCounts(mesh), left);
    });
    const swapped = [echo, { name: "second", port: secondPort, endpoints: [endpoints[1]!] }];
    await effect("another endpoint", meshYaml({ address, listeners: swapped }), async (left) => {
      await newSessionReaches(address, secondPort, 2, left);
    });
    await session.beats(100);
    assert.deepEqual(session.endpoints, established, "endpoints of the established session");
    const { sent } = session;
    assert.equal(await session.finish(), 0, `datagrams lost of ${sent}`);
    context.note(`${sent} datagrams of the established session, none lost`);
  },
};

/** The datagrams of a heartbeat are no RTP, and rtp-stats counts such. */
async function filterCounts(mesh: Mesh): Promise<boolean> {
  const metrics = await mesh.admin.text("/stats/prometheus");
  return /^msm_rtp_not_rtp_total\{[^}]*"default\/edge\/echo"[^}]*\} [1-9]/m.test(metrics);
}

/** Opens one session after the other, since an established one rightly stays with its endpoint. */
async function newSessionReaches(
  address: string,
  port: number,
  endpoint: number,
  timeoutMs: number,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const session = await Heartbeat.start(address, port, timeoutMs);
    await session.beats(1);
    const isReached = session.endpoints.includes(endpoint);
    session.close();
    if (isReached) return;
    if (performance.now() > deadline)
      throw new Error(`no new session reached endpoint ${endpoint} after ${timeoutMs} ms`);
  }
}
