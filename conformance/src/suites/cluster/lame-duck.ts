// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { freeUdpPorts } from "@msm/deploy";
import type { Scenario, ScenarioContext } from "../../runner/suite.ts";
import { EchoEndpoint } from "../../traffic/echo-endpoint.ts";
import { changeEndpoints } from "./change-endpoints.ts";
import { ClientGroup } from "./client-group.ts";
import { serviceYaml } from "./cluster-yaml.ts";

const SESSIONS = 500;

/** A pod ends, but still serves, as while Kubernetes rolls out a new version. */
export const lameDuck: Scenario = {
  title: "an endpoint that is draining keeps each of its sessions, from the same port, and gets no new one",
  run: async (context) => {
    const [leaving, staying] = [await startEndpoint(context, 1), await startEndpoint(context, 2)];
    const [port] = (await freeUdpPorts(1)) as [number];
    const yaml = (isDraining: boolean) =>
      serviceYaml(port, [
        { endpoint: leaving, isDraining },
        { endpoint: staying, isDraining: false },
      ]);
    const mesh = await context.startMesh({ config: { yaml: yaml(false) }, ports: [port], concurrency: 2 });
    const clients = await openClients(context, port);
    const before = await clients.ask();
    const kept = leaving.clients.size;
    assert.ok(kept >= SESSIONS / 2 - 1, `${kept} sessions at the endpoint that will drain`);
    await changeEndpoints(mesh, yaml(true));
    assert.deepEqual(await clients.ask(), before, "endpoints of the sessions from before");
    const fresh = await (await openClients(context, port)).ask();
    assert.deepEqual(new Set(fresh), new Set([2]), "endpoints of new sessions");
    assert.equal(leaving.clients.size, kept, "ports from which the lame duck heard");
    context.note(`${kept} sessions stayed, ${SESSIONS} new ones went elsewhere`);
  },
};

async function startEndpoint(context: ScenarioContext, number: number): Promise<EchoEndpoint> {
  const endpoint = await EchoEndpoint.start("127.0.0.1", number);
  context.defer(() => endpoint.close());
  return endpoint;
}

async function openClients(context: ScenarioContext, port: number): Promise<ClientGroup> {
  const clients = await ClientGroup.open(SESSIONS, port);
  context.defer(() => clients.close());
  return clients;
}
