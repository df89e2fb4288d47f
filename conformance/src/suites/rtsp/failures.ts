// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { RtspViewer, until } from "@msm/deploy";
import type { Scenario } from "../../runner/suite.ts";
import { rtspMeshYaml, startRtspMesh } from "./rtsp-mesh.ts";
import { startCamera } from "./sources.ts";

const LIMIT_MS = 2000;

/** Established media do not depend on who is in control. */
export const controlPlaneGone: Scenario = {
  title: "the control plane killed and started again, and routes changed, while a stream plays: nothing lost",
  timeoutMs: 90_000,
  run: async (context) => {
    const camera = await startCamera(context, "camera", ["test"]);
    const rtsp = await startRtspMesh(context, [{ name: "camera", ports: [camera.port] }]);
    const url = rtsp.url("UDP", "camera", "test");
    const viewer = await RtspViewer.start({ url });
    context.defer(() => viewer.stop());
    const { controlPlane, admin, status } = rtsp.mesh;
    await more(viewer, 25);
    controlPlane.kill("SIGKILL");
    await controlPlane.exited;
    await more(viewer, 25);
    const second = await RtspViewer.start({ url });
    context.defer(() => second.stop());
    await rtsp.mesh.startControlPlane();
    const isConnected = async () => (await status.metric("msm_xds_connected_proxies")) === 1;
    await until("the proxy was connected again", isConnected, 40_000);
    // The path that plays leads nowhere any more, which is of no concern to what plays.
    const ports = ["UDP", "Interleaved"] as const;
    const listeners = ports.map((upstream) => Number(new URL(rtsp.url(upstream, "", "")).port));
    rtsp.mesh.writeConfig(rtspMeshYaml(listeners, [{ name: "other", ports: [camera.port] }]));
    await until("the old path was gone", () =>
      RtspViewer.start({ url }).then(
        async (extra) => {
          await extra.stop();
          return false;
        },
        (error: { status?: number }) => error.status === 404,
      ),
    );
    await more(viewer, 25);
    const lost = [viewer, second].flatMap(({ streams }) => streams.map((stream) => stream.lost));
    assert.ok(lost.length >= 4 && lost.every((count) => count === 0), `packets lost: ${lost}`);
    assert.equal(await admin.isReady(), true);
  },
};

/** Two cameras behind one name: when the one that plays dies, the other takes its place. */
export const sourceGone: Scenario = {
  title: `a source killed: its reader has the stream again on the same session within ${LIMIT_MS / 1000} s`,
  timeoutMs: 60_000,
  run: async (context) => {
    const cameras = [
      await startCamera(context, "camera-1", ["test"]),
      await startCamera(context, "camera-2", ["test"]),
    ];
    const ports = cameras.map(({ port }) => port);
    const rtsp = await startRtspMesh(context, [{ name: "camera", ports }]);
    const viewer = await RtspViewer.start({ url: rtsp.url("UDP", "camera", "test") });
    context.defer(() => viewer.stop());
    await more(viewer, 25);
    // One of them plays; which one, only killing tells.
    for (const [index, { peer }] of cameras.entries()) {
      peer.kill();
      await peer.ended;
      const killedAt = performance.now();
      await more(viewer, 10);
      const gapMs = performance.now() - killedAt;
      if (index === 0) await startCamera(context, "camera-1-again", ["test"], ports[0]);
      context.note(`camera ${index + 1} killed: pictures again after ${gapMs.toFixed(0)} ms`);
      assert.ok(gapMs <= LIMIT_MS, `${gapMs.toFixed(0)} ms without the stream`);
    }
  },
};

/** Waits for so many more whole pictures. */
async function more(viewer: RtspViewer, pictures: number): Promise<void> {
  const frames = () =>
    viewer.streams.filter(({ kind }) => kind === "video").reduce((total, stream) => total + stream.frames, 0);
  const goal = frames() + pictures;
  await until(`${pictures} more pictures came`, () => frames() >= goal);
}
