// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { RtspCamera, RtspViewer, until } from "@msm/deploy";
import type { Scenario, ScenarioContext } from "../../runner/suite.ts";
import { type NetworkLink, openNetworkLink, whyNoLink } from "../../traffic/network-link.ts";
import { socketsOf } from "./open-sockets.ts";
import { startRtspMesh } from "./rtsp-mesh.ts";

const READERS = 6;
const SESSION_TIMEOUT_S = 4;
/** After the session's time-out a connection is closed; who does not take its end is cut off 5 s later. A busy machine may take some more. */
const FREED_WITHIN_MS = (SESSION_TIMEOUT_S + 5 + 15) * 1000;

/** The reader is well and its network is not: no FIN, no reset, no ICMP. */
export const linkCut: Scenario = {
  title: `readers whose network goes away without a word free every leg, port and connection after ${SESSION_TIMEOUT_S} s, and who stays loses nothing`,
  lacks: whyNoLink,
  run: async (context) => {
    const link = await openNetworkLink();
    context.defer(() => link.close());
    const camera = await RtspCamera.start();
    context.defer(() => camera.stop());
    const rtsp = await startRtspMesh(context, [{ name: "camera", ports: [camera.port] }], {
      sessionTimeoutSeconds: SESSION_TIMEOUT_S,
      address: link.nearAddress,
    });
    const url = rtsp.url("UDP", "camera", "test");
    const stays = await RtspViewer.start({ url });
    context.defer(() => stays.stop());
    const { admin, proxy } = rtsp.mesh;
    const legs = async () => (await admin.flows()).flatMap((flow) => flow.legs);
    const sent = async () =>
      (await legs()).filter(({ role, sentDatagrams }) => role === "receiver" && sentDatagrams > 50);
    await until("who stays was served", async () => (await sent()).length === 2);
    const alone = (await legs()).length;
    const socketsAlone = socketsOf(proxy.pid!);
    for (let index = 0; index < READERS; index++) startPlayer(context, link, url, index);
    await until("all readers were served", async () => (await sent()).length === 2 * (READERS + 1), 30_000);
    link.cut();
    const cutAt = performance.now();
    await until(
      "only the legs of who stays were left",
      async () => (await legs()).length === alone,
      FREED_WITHIN_MS,
    );
    const legsMs = performance.now() - cutAt;
    await until(
      "their ports and connections were closed",
      () => socketsOf(proxy.pid!) <= socketsAlone,
      FREED_WITHIN_MS,
    );
    const socketsMs = performance.now() - cutAt;
    const lost = stays.streams.reduce((total, stream) => total + stream.lost + stream.frameGaps, 0);
    if (lost !== 0) throw new Error(`who stayed lost ${lost}: ${JSON.stringify(stays.streams)}`);
    context.note(
      `legs free after ${(legsMs / 1000).toFixed(1)} s, sockets after ${(socketsMs / 1000).toFixed(1)} s`,
    );
  },
};

/** ffmpeg at the far end; by UDP and inside its connection in turn. */
function startPlayer(context: ScenarioContext, { enter }: NetworkLink, url: string, index: number): void {
  const [command, ...args] = enter;
  const transport = index % 2 === 0 ? "udp" : "tcp";
  args.push("ffmpeg", "-nostdin", "-loglevel", "error", "-rtsp_transport", transport, "-i", url);
  args.push("-map", "0", "-c", "copy", "-f", "null", "-");
  context.startPeer({ name: `player-${index}`, command, args, timeoutMs: 90_000, folder: context.folder });
}
