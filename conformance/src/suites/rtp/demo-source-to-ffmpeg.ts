// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { PPS, RtpSource, SPS, sessionDescription } from "@msm/deploy";
import type { Scenario } from "../../runner/suite.ts";
import { startFfmpegReceiver } from "./ffmpeg-receiver.ts";
import { startMediaMesh } from "./media-mesh.ts";
import { socketsDrained } from "./udp-queue.ts";

const FRAMES = 150;

/** What `npm start` sends is what a player can play. */
export const demoSourceToFfmpeg: Scenario = {
  title: "ffmpeg decodes every frame of the demo's source through the proxy, without a warning",
  run: async (context) => {
    const { gateway, viewer } = await startMediaMesh(context);
    const sdp = sessionDescription({
      address: "127.0.0.1",
      videoPort: viewer.video,
      audioPort: viewer.audio,
      sps: SPS,
      pps: PPS,
    });
    const ports = [viewer.video, viewer.audio];
    const receiver = await startFfmpegReceiver(context, { name: "receiver", sdp, ports, timeoutMs: 30_000 });
    const source = await RtpSource.start({
      video: { address: "127.0.0.1", port: gateway.video },
      audio: { address: "127.0.0.1", port: gateway.audio },
      frames: FRAMES,
    });
    await source.ended;
    await socketsDrained([gateway.video, gateway.audio, ...ports]);
    await source.stop();
    const { video, audio, stderr } = await receiver.decoded();
    assert.equal(stderr, "", "warnings of ffmpeg");
    assert.equal(video.length, FRAMES);
    assert.equal(audio.length, source.counts.audio.datagrams);
    context.note(`${video.length} pictures, ${audio.length} sounds`);
  },
};
