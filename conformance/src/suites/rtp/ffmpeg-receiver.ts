// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isPortFree, until } from "@msm/deploy";
import type { Peer } from "../../runner/peer.ts";
import type { ScenarioContext } from "../../runner/suite.ts";

/** An ffmpeg that decodes what arrives at the ports of a session description. */
export interface FfmpegReceiverOptions {
  readonly name: string;
  readonly sdp: string;
  /** The RTP ports of the description, to know when they are open. */
  readonly ports: readonly number[];
  readonly timeoutMs: number;
}

/** The decoded frames of one stream: size and checksum of each. */
export type DecodedStream = readonly string[];

/** Ready to receive. */
export interface FfmpegReceiver {
  readonly peer: Peer;
  /** The video's frames and the audio's, when ffmpeg has ended. */
  decoded(): Promise<{
    readonly video: DecodedStream;
    readonly audio: DecodedStream;
    readonly stderr: string;
  }>;
}

/** Starts an ffmpeg and waits until its ports are open, so that it misses nothing. It ends with the senders' goodbye. */
export async function startFfmpegReceiver(
  context: ScenarioContext,
  { name, sdp, ports, timeoutMs }: FfmpegReceiverOptions,
): Promise<FfmpegReceiver> {
  writeFileSync(join(context.folder, `${name}.sdp`), sdp);
  const input = ["-protocol_whitelist", "file,udp,rtp", "-buffer_size", "4000000", "-threads", "1"];
  // Every frame as it was decoded: none repeated or left out to fit a rate.
  const output = ["-map", "0:v", "-map", "0:a", "-fps_mode", "passthrough", "-f", "framecrc", "-"];
  const peer = context.startPeer({
    name,
    command: "ffmpeg",
    args: ["-nostdin", "-loglevel", "warning", ...input, "-i", `${name}.sdp`, ...output],
    timeoutMs,
    folder: context.folder,
  });
  await until(`${name} had opened its ports`, async () => {
    if (peer.isOver) await peer.succeeded();
    const free = await Promise.all(
      ports.flatMap((port) => [isPortFree("udp", port), isPortFree("udp", port + 1)]),
    );
    return !free.includes(true);
  });
  return {
    peer,
    decoded: async () => {
      const { stdout, stderr } = await peer.succeeded();
      return { video: framesOf(stdout, 0), audio: framesOf(stdout, 1), stderr };
    },
  };
}

/** Lines of framecrc: stream, dts, pts, duration, size, checksum. Times differ from receiver to receiver. */
function framesOf(framecrc: string, stream: number): DecodedStream {
  return framecrc
    .split("\n")
    .filter((line) => line.startsWith(`${stream},`))
    .map((line) => line.split(",").slice(4, 6).join(" ").trim());
}
