// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { RtspCamera, RtspViewer, until } from "@msm/deploy";
import type { Scenario } from "../../runner/suite.ts";
import { startRtspMesh } from "./rtsp-mesh.ts";

const STREAMS = ["one", "two", "three"];
const COUNTERS_PER_STREAM = 100_000_000;
const PICTURES = 50;

/** A proxy that keeps one description for a server would give all readers the first stream. */
export const severalStreams: Scenario = {
  title: "three streams of one server at once: each reader gets its own, and its reports reach the server",
  run: async (context) => {
    const camera = await RtspCamera.start({ streams: STREAMS, random: () => 0 });
    context.defer(() => camera.stop());
    const rtsp = await startRtspMesh(context, [{ name: "camera", ports: [camera.port] }]);
    const viewers = await Promise.all(
      STREAMS.flatMap((stream) =>
        (["udp", "tcp"] as const).map(async (transport) => {
          const viewer = await RtspViewer.start({ url: rtsp.url("UDP", "camera", stream), transport });
          context.defer(() => viewer.stop());
          return { stream, viewer };
        }),
      ),
    );
    for (const { stream, viewer } of viewers) {
      const video = await until(`${stream} was seen`, () =>
        viewer.streams.find(({ kind, frames }) => kind === "video" && frames >= PICTURES),
      );
      assert.equal(Math.floor(video.lastCounter! / COUNTERS_PER_STREAM), STREAMS.indexOf(stream), stream);
      assert.deepEqual([video.lost, video.frameGaps], [0, 0], `packets and pictures that ${stream} lost`);
    }
    assert.deepEqual(
      camera.readers.map(({ stream }) => stream).sort(),
      [...STREAMS].sort(),
      "sessions of the camera",
    );
    await until("every session had been reported on", () =>
      camera.readers.every(({ video, audio }) => video.far !== null && audio.far !== null),
    );
    const worst = Math.max(...camera.readers.map(({ video }) => video.far!.cumulativeLost));
    assert.equal(worst, 0, "losses that the readers reported");
  },
};
