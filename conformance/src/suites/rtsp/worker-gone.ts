// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { RtspViewer, until } from "@msm/deploy";
import type { Scenario } from "../../runner/suite.ts";
import { startRtspMesh } from "./rtsp-mesh.ts";
import { startCamera } from "./sources.ts";

const LIMIT_MS = 1000;
const GIVE_UP_MS = 20_000;
const ASK_EVERY_MS = 5;
/** Signalling workers are numbered behind those of the datapath, of which there is one. */
const SIGNALLING_WORKER = 1;

/** The thread that has every RTSP connection dies as by a defect: its clients have to come again, and find it there. */
export const workerGone: Scenario = {
  title: `a signalling worker that dies is rebuilt on the same port and answers again within ${LIMIT_MS / 1000} s`,
  run: async (context) => {
    const camera = await startCamera(context, "camera", ["test"]);
    const rtsp = await startRtspMesh(context, [{ name: "camera", ports: [camera.port] }], {
      proxyArgs: ["--enable-fault-injection"],
      concurrency: 1,
    });
    const url = rtsp.url("UDP", "camera", "test");
    const before = await RtspViewer.start({ url });
    context.defer(() => before.abort());
    await until("media flowed", () => before.streams.some(({ frames }) => frames > 25));
    await rtsp.mesh.admin.post(`/workers/kill?worker=${SIGNALLING_WORKER}`);
    const killedAt = performance.now();
    await before.ended;
    while (!(await answers(url)) && performance.now() - killedAt < GIVE_UP_MS) await delay(ASK_EVERY_MS);
    const gapMs = performance.now() - killedAt;
    const after = await RtspViewer.start({ url });
    context.defer(() => after.stop());
    await until("media flowed again", () => after.streams.some(({ frames }) => frames > 25));
    context.note(`the port answered again after ${gapMs.toFixed(0)} ms`);
    assert.ok(gapMs <= LIMIT_MS, `${gapMs.toFixed(0)} ms without an answer`);
  },
};

/** Whether OPTIONS is answered; false where the connection is refused or ends. */
async function answers(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, "connect");
    socket.write(`OPTIONS ${url} RTSP/1.0\r\nCSeq: 1\r\n\r\n`);
    const [answer] = (await once(socket, "data")) as [Buffer];
    return answer.toString("latin1").startsWith("RTSP/1.0 200");
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
