// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { goodbye } from "@msm/deploy";
import type { Scenario, ScenarioContext } from "../../runner/suite.ts";
import { startFfmpegReceiver } from "./ffmpeg-receiver.ts";
import { freePairs } from "./free-pairs.ts";
import { startMediaMesh } from "./media-mesh.ts";
import { socketsDrained } from "./udp-queue.ts";

const SECONDS = 10;
const FRAMES = 25 * SECONDS;
const INPUT = "input.mov";

/**
 * One ffmpeg sends the same packets twice: directly, and through the proxy. The tolerance is zero: the receivers are
 * open before the sender starts, every group of pictures is closed, and a goodbye ends the receivers when
 * they have read everything.
 */
export const ffmpegToFfmpeg: Scenario = {
  title: "ffmpeg decodes the same frames from H.264 and PCMU through the proxy as it does directly",
  timeoutMs: 90_000,
  run: async (context) => {
    await prepareInput(context);
    const { mesh, gateway, viewer } = await startMediaMesh(context);
    const direct = await freePairs(2);
    const proxied = [viewer.video, viewer.audio];
    const receivers = await Promise.all([
      startReceiver(context, "direct", direct),
      startReceiver(context, "proxied", proxied),
    ]);
    const targets = [...direct, gateway.video, gateway.audio];
    await send(context, targets).succeeded();
    await socketsDrained([...targets, ...proxied]);
    await sayGoodbye(targets);
    const [expected, actual] = await Promise.all(receivers.map((receiver) => receiver.decoded()));
    assert.equal(expected!.video.length, FRAMES, "frames that ffmpeg decoded without the proxy");
    const soundBytes = expected!.audio.reduce((total, frame) => total + Number.parseInt(frame, 10), 0);
    assert.equal(soundBytes, SECONDS * 8000 * 2, "bytes of sound that ffmpeg decoded without the proxy");
    assert.deepEqual(actual!.video, expected!.video, "the proxied picture differs from the direct one");
    assert.deepEqual(actual!.audio, expected!.audio, "the proxied sound differs from the direct one");
    const streams = (await mesh.admin.streams()).filter((stream) => stream.packets > 0);
    assert.deepEqual(
      streams.map((stream) => stream.lost),
      [0, 0],
    );
    const packets = streams.reduce((total, stream) => total + stream.packets, 0);
    context.note(
      `${actual!.video.length} pictures, ${actual!.audio.length} sounds, ${packets} RTP packets, none lost`,
    );
  },
};

/** A file with a fixed number of frames, closed groups and the parameter sets before each key frame. */
async function prepareInput(context: ScenarioContext): Promise<void> {
  const video = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "25", "-b:v", "2M"];
  const args = ["-nostdin", "-loglevel", "warning"];
  args.push(
    "-f",
    "lavfi",
    "-i",
    "testsrc2=size=640x360:rate=25",
    "-f",
    "lavfi",
    "-i",
    "sine=sample_rate=8000",
  );
  args.push(
    "-t",
    String(SECONDS),
    ...video,
    "-x264-params",
    "open-gop=0",
    "-c:a",
    "pcm_mulaw",
    "-ac",
    "1",
    INPUT,
  );
  const options = { name: "prepare", command: "ffmpeg", args, timeoutMs: 30_000, folder: context.folder };
  await context.startPeer(options).succeeded();
}

/** Sends picture and sound to the first two ports, and the same once more to the other two. */
function send(context: ScenarioContext, ports: readonly number[]) {
  const outputs = ports.flatMap((port, index) => {
    const stream =
      index % 2 === 0 ? ["-map", "0:v", "-bsf:v", "h264_mp4toannexb,dump_extra"] : ["-map", "0:a"];
    return [...stream, "-c", "copy", "-f", "rtp", `rtp://127.0.0.1:${port}?pkt_size=1316`];
  });
  return context.startPeer({
    name: "sender",
    command: "ffmpeg",
    args: ["-nostdin", "-loglevel", "warning", "-re", "-i", INPUT, ...outputs],
    timeoutMs: (SECONDS + 20) * 1000,
    folder: context.folder,
  });
}

function startReceiver(context: ScenarioContext, name: string, ports: readonly number[]) {
  const lines = ["v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0"];
  lines.push(`m=video ${ports[0]} RTP/AVP 96`, "a=rtpmap:96 H264/90000", "a=fmtp:96 packetization-mode=1");
  lines.push(`m=audio ${ports[1]} RTP/AVP 0`);
  return startFfmpegReceiver(context, { name, sdp: `${lines.join("\r\n")}\r\n`, ports, timeoutMs: 60_000 });
}

/** Tells the receivers that no more comes: RTCP BYE to the port above each. */
async function sayGoodbye(ports: readonly number[]): Promise<void> {
  const socket = createSocket("udp4");
  const send = (port: number) =>
    new Promise<void>((resolve) => {
      socket.send(goodbye(1, "conformance"), port + 1, "127.0.0.1", () => resolve());
    });
  await Promise.all(ports.map(send));
  socket.close();
}
