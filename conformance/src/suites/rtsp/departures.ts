// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { connect, type Socket } from "node:net";
import { RtspCamera, RtspViewer, until } from "@msm/deploy";
import type { Scenario, ScenarioContext } from "../../runner/suite.ts";
import { startRtspMesh } from "./rtsp-mesh.ts";

const READERS = 20;

/** What clients do at their worst costs nobody else anything, and is cleaned up. */
export const departures: Scenario = {
  title:
    "readers that reset, stop reading or leave after OPTIONS free every leg, and one that stays loses nothing",
  run: async (context) => {
    const camera = await RtspCamera.start();
    context.defer(() => camera.stop());
    const rtsp = await startRtspMesh(context, [{ name: "camera", ports: [camera.port] }]);
    const url = rtsp.url("UDP", "camera", "test");
    const stays = await RtspViewer.start({ url });
    context.defer(() => stays.stop());
    const legs = async () => (await rtsp.mesh.admin.flows()).flatMap(({ legs }) => legs).length;
    const alone = await until("the first reader's legs were open", legs);
    const readers = await Promise.all(
      Array.from({ length: READERS }, (_, index) =>
        RtspViewer.start({ url, transport: index % 2 === 0 ? "udp" : "tcp" }),
      ),
    );
    await until("all readers had legs", async () => (await legs()) >= alone + 2 * READERS);
    for (const reader of readers) reader.abort();
    for (let index = 0; index < READERS; index++) (await afterOptions(context, url)).destroy();
    await until("only the legs of who stays were left", async () => (await legs()) === alone, 20_000);
    const before = stays.streams[0]!.received;
    await until("media went on", () => stays.streams[0]!.received > before + 100);
    const lost = stays.streams.reduce((total, stream) => total + stream.lost + stream.frameGaps, 0);
    if (lost !== 0) throw new Error(`who stayed lost ${lost}: ${JSON.stringify(stays.streams)}`);
  },
};

/** A client that asks what there is and does not wait for the answer. */
function afterOptions(context: ScenarioContext, url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    context.defer(() => socket.destroy());
    socket.once("error", reject);
    socket.once("connect", () =>
      socket.write(`OPTIONS ${url} RTSP/1.0\r\nCSeq: 1\r\n\r\n`, () => resolve(socket)),
    );
  });
}
