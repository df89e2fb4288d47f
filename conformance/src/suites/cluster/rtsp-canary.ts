// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { until } from "@msm/deploy";
import type { Scenario, ScenarioContext } from "../../runner/suite.ts";
import { askRtsp } from "./ask-rtsp.ts";
import { freeTcpPort, rtspCanaryYaml } from "./rtsp-canary-yaml.ts";

const REQUESTS = 600;
/** Four standard deviations of a share of 10 % and of 50 % among so many. */
const TOLERANCE = { tenth: 0.05, half: 0.082 };

/** Sessions of cameras are weighed between an old and a new version, and some clients always get the new one. */
export const rtspCanary: Scenario = {
  title: "an RTSP route gives a canary a tenth, then live half of the sessions, and by a header all",
  timeoutMs: 120_000,
  run: async (context) => {
    const [stable, canary] = [await startCamera(context, "stable"), await startCamera(context, "canary")];
    const port = await freeTcpPort();
    const yaml = (share: number) =>
      rtspCanaryYaml(port, [
        { name: "stable", weight: 100 - share, port: stable },
        { name: "canary", weight: share, port: canary },
      ]);
    const mesh = await context.startMesh({ config: { yaml: yaml(10) }, ports: [port] });
    await until("the listener answered", async () => (await askRtsp(port, "/ready").catch(() => "")) !== "");
    const shareOf = async (round: string, headers = {}): Promise<number> => {
      let count = 0;
      for (let request = 0; request < REQUESTS; request++) {
        if ((await askRtsp(port, `/${round}/${request}`, headers)) === "canary") count++;
      }
      context.note(
        `${round}: the canary has ${((100 * count) / REQUESTS).toFixed(1)} % of ${REQUESTS} requests`,
      );
      return count / REQUESTS;
    };
    assert.ok(Math.abs((await shareOf("tenth")) - 0.1) <= TOLERANCE.tenth);
    mesh.writeConfig(yaml(50));
    await until("the proxy took new routes", async () =>
      (await mesh.admin.text("/config_dump")).includes('"weight": 50'),
    );
    assert.ok(Math.abs((await shareOf("half")) - 0.5) <= TOLERANCE.half);
    assert.equal(await shareOf("header", { "x-stage": "canary" }), 1);
  },
};

/** A camera that has no stream, and says in each answer who it is. */
async function startCamera(context: ScenarioContext, name: string): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    let text = "";
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
      for (let end = text.indexOf("\r\n\r\n"); end >= 0; end = text.indexOf("\r\n\r\n")) {
        const sequence = /^cseq: *(\d+)/im.exec(text.slice(0, end))?.[1] ?? "0";
        text = text.slice(end + 4);
        socket.write(`RTSP/1.0 451 ${name}\r\nCSeq: ${sequence}\r\n\r\n`);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.defer(() => server.close());
  return (server.address() as AddressInfo).port;
}
