// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { freeUdpPorts, until } from "@msm/deploy";
import { meshYaml } from "../../mesh-yaml.ts";
import type { Scenario } from "../../runner/suite.ts";
import { startEchoMesh } from "../../traffic/echo-mesh.ts";
import { Heartbeat } from "../../traffic/heartbeat.ts";

/** What is established, and what begins while nobody is in control, goes on. */
export const controlPlaneKilled: Scenario = {
  title: "kill -9 of the control plane loses no datagram, nor does its return, and then changes work again",
  timeoutMs: 90_000,
  run: async (context) => {
    const { mesh, port, endpoints } = await startEchoMesh(context);
    const session = await Heartbeat.start("127.0.0.1", port);
    mesh.controlPlane.kill("SIGKILL");
    await mesh.controlPlane.exited;
    const second = await Heartbeat.start("127.0.0.1", port);
    await session.beats(300);
    await mesh.startControlPlane();
    // The proxy backs off for up to half a minute, with a random part.
    const isConnected = async () => (await mesh.status.metric("msm_xds_connected_proxies")) === 1;
    await until("the proxy was connected again", isConnected, 40_000);
    const [newPort] = (await freeUdpPorts(1)) as [number];
    const listeners = [
      { name: "echo", port, endpoints },
      { name: "new", port: newPort, endpoints },
    ];
    mesh.writeConfig(meshYaml({ address: "127.0.0.1", listeners }));
    (await Heartbeat.start("127.0.0.1", newPort)).close();
    const sent = session.sent + second.sent;
    assert.deepEqual(
      [await session.finish(), await second.finish()],
      [0, 0],
      "datagrams lost by the sessions",
    );
    context.note(`${sent} datagrams, none lost`);
  },
};
