// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { until } from "@msm/deploy";
import { meshYaml } from "../../mesh-yaml.ts";
import type { Scenario } from "../../runner/suite.ts";
import { startEchoMesh } from "../../traffic/echo-mesh.ts";
import { Heartbeat } from "../../traffic/heartbeat.ts";

/** Only the proxy can find this out, so its refusal has to come back to whoever wrote the configuration. */
export const portInUse: Scenario = {
  title: "a listener whose port is in use is refused by the proxy with a code; the other listener runs on",
  run: async (context) => {
    const { mesh, port, endpoints } = await startEchoMesh(context, { endpointCount: 1 });
    const session = await Heartbeat.start("127.0.0.1", port);
    const squatter = createSocket("udp4").bind(0, "127.0.0.1");
    context.defer(() => squatter.close());
    await once(squatter, "listening");
    const taken = squatter.address().port;
    const listeners = [
      { name: "echo", port, endpoints },
      { name: "taken", port: taken, endpoints },
    ];
    mesh.writeConfig(meshYaml({ address: "127.0.0.1", listeners }));
    const message = await until("the proxy's refusal was told", async () => {
      const conditions = (await mesh.status.configuration()).resources.flatMap(
        (resource) => resource.conditions,
      );
      return conditions.find(({ type, status }) => type === "Programmed" && status === "False")?.message;
    });
    context.note(message);
    assert.match(message, /MSM_[A-Z_]+/);
    assert.match(message, new RegExp(String(taken)));
    assert.ok((await mesh.status.metric('msm_xds_nacks_total{type="Listener"}'))! >= 1);
    assert.match(await mesh.admin.text("/stats?filter=refused"), /^msm_config_refused_total.*: [1-9]/m);
    await session.beats(50);
    assert.equal(await session.finish(), 0, "datagrams lost meanwhile");
  },
};
