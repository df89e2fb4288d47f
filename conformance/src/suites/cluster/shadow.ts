// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { freeUdpPorts, until } from "@msm/deploy";
import { meshYaml } from "../../mesh-yaml.ts";
import type { Scenario } from "../../runner/suite.ts";
import { EchoEndpoint } from "../../traffic/echo-endpoint.ts";
import { ClientGroup } from "./client-group.ts";

const SESSIONS = 100;
const STABLE = 1;
const SHADOW = 2;

/** A new version of a service is to see real traffic before anybody is answered by it. */
export const shadow: Scenario = {
  title: `each of ${SESSIONS} sessions is copied to a second cluster, which answers nobody`,
  run: async (context) => {
    const [stable, copies] = [
      await EchoEndpoint.start("127.0.0.1", STABLE),
      await EchoEndpoint.start("127.0.0.1", SHADOW),
    ];
    context.defer(() => stable.close());
    context.defer(() => copies.close());
    const ports = (await freeUdpPorts(2)) as [number, number];
    const targetRef = {
      group: "gateway.networking.k8s.io",
      kind: "Gateway",
      name: "edge",
      sectionName: "main",
    };
    const yaml = meshYaml({
      address: "127.0.0.1",
      listeners: [
        { name: "main", port: ports[0], endpoints: [stable] },
        { name: "shadow", port: ports[1], endpoints: [copies] },
      ],
      more: [
        {
          apiVersion: "mediastreamingmesh.io/v1alpha1",
          kind: "WasmFilter",
          metadata: { name: "shadow" },
          spec: {
            targetRefs: [targetRef],
            ...{
              builtin: "mirror",
              config: { cluster: "backend/default/shadow" },
              failurePolicy: "FailOpen",
            },
          },
        },
      ],
    });
    await context.startMesh({ config: { yaml }, ports });
    const clients = await ClientGroup.open(SESSIONS, ports[0]);
    context.defer(() => clients.close());
    for (let round = 0; round < 2; round++) {
      assert.deepEqual(new Set(await clients.ask()), new Set([STABLE]), "who answered");
    }
    await until("the second cluster had every session", () => copies.clients.size >= SESSIONS, 10_000);
    assert.equal(copies.clients.size, SESSIONS, "ports from which copies came: one for each session");
  },
};
