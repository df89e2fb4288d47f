// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { RtspCamera, RtspViewer, until } from "@msm/deploy";
import type { Scenario } from "../../runner/suite.ts";
import { socketsOf } from "./open-sockets.ts";
import { startRtspMesh } from "./rtsp-mesh.ts";

const READERS = 20;
const SESSION_TIMEOUT_S = 4;
/** After the session's time-out a connection is closed; who does not read its end is cut off 5 s later. A busy machine may take some more. */
const FREED_WITHIN_MS = (SESSION_TIMEOUT_S + 5 + 15) * 1000;

/** Nobody says that these readers are gone: only the time-out does. */
export const silence: Scenario = {
  title: `readers that stop reading and say nothing free every leg, port and connection after ${SESSION_TIMEOUT_S} s, and who stays loses nothing`,
  run: async (context) => {
    const camera = await RtspCamera.start();
    context.defer(() => camera.stop());
    const rtsp = await startRtspMesh(context, [{ name: "camera", ports: [camera.port] }], {
      sessionTimeoutSeconds: SESSION_TIMEOUT_S,
    });
    const url = rtsp.url("UDP", "camera", "test");
    const stay = [await RtspViewer.start({ url }), await RtspViewer.start({ url, transport: "tcp" })];
    context.defer(() => Promise.all(stay.map((viewer) => viewer.stop())));
    const { admin, proxy } = rtsp.mesh;
    const legs = async () => (await admin.flows()).flatMap((flow) => flow.legs).length;
    const sockets = () => socketsOf(proxy.pid!);
    const alone = await until("the legs of who stays were open", legs);
    const socketsAlone = sockets();
    const readers = await Promise.all(
      Array.from({ length: READERS }, (_, index) =>
        RtspViewer.start({ url, transport: index % 2 === 0 ? "udp" : "tcp" }),
      ),
    );
    context.defer(() => {
      for (const reader of readers) reader.abort();
    });
    await until("all readers had legs", async () => (await legs()) >= alone + 2 * READERS);
    const vanishedAt = performance.now();
    for (const reader of readers) reader.vanish();
    await until(
      "only the legs of who stays were left",
      async () => (await legs()) === alone,
      FREED_WITHIN_MS,
    );
    const legsMs = performance.now() - vanishedAt;
    // A port may rest for a moment after its leg; one of the admin's own connections may be open, too.
    await until("their ports and connections were closed", () => sockets() <= socketsAlone, FREED_WITHIN_MS);
    const socketsMs = performance.now() - vanishedAt;
    assert.ok(socketsMs < FREED_WITHIN_MS, `sockets were gone after ${socketsMs.toFixed(0)} ms`);
    const lost = stay.flatMap(({ streams }) => streams.map((stream) => stream.lost + stream.frameGaps));
    assert.ok(lost.length >= 4 && lost.every((count) => count === 0), `packets lost: ${lost}`);
    context.note(`legs free after ${seconds(legsMs)}, sockets after ${seconds(socketsMs)}`);
  },
};

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
