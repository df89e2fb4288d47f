// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { fileURLToPath } from "node:url";
import { until } from "@msm/deploy";
import type { Peer } from "../../runner/peer.ts";
import type { ScenarioContext } from "../../runner/suite.ts";

/** An RTSP server as a process of its own. */
export interface Source {
  readonly peer: Peer;
  readonly port: number;
}

/** What starting a source takes of a scenario. */
type Starter = Pick<ScenarioContext, "folder" | "startPeer">;

/** GStreamer's server, with what it says of requests and reports. */
export interface GstreamerServer extends Source {
  /** How many requests of a method came, for a path if one is given. */
  requests(method: string, path?: string): number;
  /** How many connections have ended. */
  closed(): number;
  /** How many receiver reports came for a stream. */
  reports(stream: string): number;
}

const LIFE_MS = 170_000;

/** Starts the test camera of `npm run msm -- camera`. */
export async function startCamera(
  context: Starter,
  name: string,
  streams: readonly string[],
  port = 0,
): Promise<Source> {
  const script = fileURLToPath(new URL("cli/main.js", import.meta.resolve("@msm/deploy")));
  const peer = context.startPeer({
    name,
    command: process.execPath,
    args: [script, "camera", "--port", String(port), "--stream", ...streams],
    timeoutMs: LIFE_MS,
    folder: context.folder,
  });
  const found = await until(
    "the camera listened",
    () => /rtsp:\/\/[^:]+:(\d+)/.exec(peer.stdout)?.[1],
    20_000,
  );
  return { peer, port: Number(found) };
}

/** What GStreamer's server is to serve. */
export interface GstreamerServerOptions {
  readonly name: string;
  /** A file with H.264 and PCMU, in the scenario's folder. */
  readonly file: string;
  readonly streams: readonly string[];
  /** `user:password`. */
  readonly digest?: string;
  /** What is sent to /record goes into this file of the scenario's folder. */
  readonly record?: string;
}

/** Starts it on a free port. */
export async function startGstreamerServer(
  context: Starter,
  { name, file, streams, digest, record }: GstreamerServerOptions,
): Promise<GstreamerServer> {
  const script = fileURLToPath(new URL("../../../peers/rtsp-server.py", import.meta.url));
  const args = [script, "--file", file, "--streams", streams.join(",")];
  if (digest !== undefined) args.push("--digest", digest);
  if (record !== undefined) args.push("--record", record);
  const command = "/usr/bin/python3";
  const peer = context.startPeer({ name, command, args, timeoutMs: LIFE_MS, folder: context.folder });
  const events = () =>
    peer.stdout
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Readonly<Record<string, string | number | boolean>>);
  const port = await until("GStreamer's server listened", () => events()[0]?.port, 20_000);
  return {
    peer,
    port: Number(port),
    requests: (method, path) =>
      events().filter((event) => event.request === method && (path === undefined || event.path === path))
        .length,
    closed: () => events().filter((event) => event.closed !== undefined).length,
    reports: (stream) => events().filter((event) => event.reports === stream).length,
  };
}

/** What a file for GStreamer's server holds. */
export interface FileOptions {
  readonly seconds: number;
  readonly framesPerSecond: number;
  /** Constant, filled up where the picture needs less; as the encoder likes if not said. */
  readonly kilobitsPerSecond?: number;
}

/** Makes a file with a moving picture and a tone in the scenario's folder; returns its name. */
export async function makeFile(
  context: Starter,
  { seconds, framesPerSecond, kilobitsPerSecond }: FileOptions,
): Promise<string> {
  const file = `input-${seconds}.mov`;
  const inputs = ["-f", "lavfi", "-i", `testsrc2=size=320x240:rate=${framesPerSecond}`];
  inputs.push("-f", "lavfi", "-i", "sine=sample_rate=8000", "-t", String(seconds));
  // Baseline is what every decoder has.
  const video = ["-c:v", "libx264", "-profile:v", "baseline", "-preset", "ultrafast"];
  const rate = `${kilobitsPerSecond ?? 500}k`;
  video.push("-b:v", rate);
  const options = ["open-gop=0"];
  if (kilobitsPerSecond !== undefined) {
    video.push("-minrate", rate, "-maxrate", rate, "-bufsize", rate);
    options.push("nal-hrd=cbr");
  }
  video.push("-g", String(framesPerSecond), "-x264-params", options.join(":"));
  const args = [
    "-nostdin",
    "-loglevel",
    "warning",
    "-y",
    ...inputs,
    ...video,
    "-c:a",
    "pcm_mulaw",
    "-ac",
    "1",
    file,
  ];
  const peer = { name: "make-file", command: "ffmpeg", args, timeoutMs: 30_000, folder: context.folder };
  await context.startPeer(peer).succeeded();
  return file;
}
