// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { freeUdpPorts } from "@msm/deploy";
import type { Scenario, ScenarioContext } from "../../runner/suite.ts";
import { EchoEndpoint } from "../../traffic/echo-endpoint.ts";
import { changeEndpoints } from "./change-endpoints.ts";
import { ClientGroup } from "./client-group.ts";
import { weightedYaml } from "./cluster-yaml.ts";

const SESSIONS = 10_000;
const MORE_SESSIONS = 2_000;
const CANARY = 2;

/** A route gives a canary a tenth, then half of the sessions. */
export const canary: Scenario = {
  title: "10,000 sessions are 90 to 10 within 1 %, and stay where they are when the weights become 50 to 50",
  timeoutMs: 120_000,
  run: async (context) => {
    const [stable, fresh] = [await startEndpoint(context, 1), await startEndpoint(context, CANARY)];
    const [port] = (await freeUdpPorts(1)) as [number];
    const yaml = (share: number) =>
      weightedYaml(port, [
        { name: "stable", weight: 100 - share, endpoint: stable },
        { name: "canary", weight: share, endpoint: fresh },
      ]);
    const mesh = await context.startMesh({ config: { yaml: yaml(10) }, ports: [port], concurrency: 2 });
    const clients = await openClients(context, SESSIONS, port);
    const before = await clients.ask();
    checkShare(context, before, 0.1);
    await changeEndpoints(mesh, yaml(50));
    assert.deepEqual(await clients.ask(), before, "endpoints of the sessions from before");
    assert.equal(stable.clients.size + fresh.clients.size, SESSIONS, "ports that the proxy used");
    checkShare(context, await (await openClients(context, MORE_SESSIONS, port)).ask(), 0.5);
  },
};

function checkShare(context: ScenarioContext, endpoints: readonly number[], expected: number): void {
  const share = endpoints.filter((number) => number === CANARY).length / endpoints.length;
  context.note(`the canary has ${(share * 100).toFixed(2)} % of ${endpoints.length} new sessions`);
  assert.ok(Math.abs(share - expected) <= 0.01, `expected ${expected * 100} % within 1 %`);
}

async function startEndpoint(context: ScenarioContext, number: number): Promise<EchoEndpoint> {
  const endpoint = await EchoEndpoint.start("127.0.0.1", number);
  context.defer(() => endpoint.close());
  return endpoint;
}

async function openClients(context: ScenarioContext, count: number, port: number): Promise<ClientGroup> {
  const clients = await ClientGroup.open(count, port);
  context.defer(() => clients.close());
  return clients;
}
