// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { freeUdpPorts, until } from "@msm/deploy";
import { meshYaml } from "../../mesh-yaml.ts";
import type { Scenario, ScenarioContext } from "../../runner/suite.ts";
import { EchoEndpoint } from "../../traffic/echo-endpoint.ts";
import { Heartbeat } from "../../traffic/heartbeat.ts";
import { startPlane } from "./control-plane.ts";
import { startEnvoy } from "./envoy.ts";

/** A stock Envoy carries UDP for a route of ours, as the control plane translates it. */
export function envoyUdp(variant: "sotw" | "delta"): Scenario {
  return {
    title: `Envoy (${variant}): carries UDP for our routes; changes of EDS, CDS and LDS under load lose no datagram`,
    timeoutMs: 90_000,
    run: async (context) => {
      const [first, second] = [await startEcho(context, 1), await startEcho(context, 2)];
      const [port, newPort] = (await freeUdpPorts(2)) as [number, number];
      const yaml = (endpoints: readonly EchoEndpoint[], withNew = false): string => {
        const listeners = [{ name: "echo", port, endpoints }];
        if (withNew) listeners.push({ name: "new", port: newPort, endpoints: [second] });
        return meshYaml({ address: "127.0.0.1", listeners });
      };
      const { plane, write } = await startPlane(context, yaml([first]));
      const envoy = await startEnvoy(context, { xds: plane.xdsAddress, variant });
      await envoy.listens(port);
      const session = await Heartbeat.start("127.0.0.1", port);
      await session.beats(50);
      write(yaml([first, second]));
      await until("a new session reached the second endpoint", async () => {
        const probe = await Heartbeat.start("127.0.0.1", port);
        await probe.beats(1);
        const reached = probe.endpoints.includes(2);
        probe.close();
        return reached;
      });
      context.note("EDS: the second endpoint serves new sessions");
      write(yaml([first, second], true));
      await envoy.listens(newPort);
      (await Heartbeat.start("127.0.0.1", newPort)).close();
      context.note("CDS and LDS: a new route serves");
      write(yaml([first]));
      await until("Envoy closed the listener of the deleted route", async () => {
        return !(await envoy.admin("/listeners")).includes(`:${newPort}\n`);
      });
      await session.beats(50);
      const { sent } = session;
      const lost = await session.finish();
      context.note(`${sent} datagrams, ${lost} lost`);
      assert.equal(lost, 0);
      assert.deepEqual(session.endpoints, [1]);
    },
  };
}

async function startEcho(context: ScenarioContext, number: number): Promise<EchoEndpoint> {
  const endpoint = await EchoEndpoint.start("127.0.0.1", number);
  context.defer(() => endpoint.close());
  return endpoint;
}
