// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { fileURLToPath } from "node:url";
import type { PeerResult } from "../../runner/peer.ts";
import type { ScenarioContext } from "../../runner/suite.ts";

/** Players of others. */
export const PLAYERS = ["ffmpeg", "gstreamer"] as const;
export type PlayerName = (typeof PLAYERS)[number];

/** How media come to a player. */
export type Transport = "udp" | "tcp";

/** What to play. */
export interface PlayOptions {
  readonly player: PlayerName;
  /** For logs; one player of a scenario has it. */
  readonly name: string;
  readonly url: string;
  readonly transport: Transport;
  /** Pictures of so many seconds are decoded. */
  readonly seconds: number;
  readonly credentials?: { readonly user: string; readonly password: string };
  /** A file of authorities, by which a server in TLS is checked; GStreamer does, ffmpeg has no such option for RTSP. */
  readonly authorities?: string;
}

/** What a player made of a stream. */
export interface Played {
  readonly code: number | null;
  readonly pictures: number;
  readonly soundBytes: number;
  /** Everything it said at the level of errors, but for addresses that differ from run to run. */
  readonly complaints: readonly string[];
  /** Status codes that it was refused with. */
  readonly refusals: readonly number[];
}

const START_AND_END_MS = 25_000;

/** Plays until so many seconds were decoded, or it is refused. Never throws for what the player does. */
export async function play(context: ScenarioContext, options: PlayOptions): Promise<Played> {
  const { name, seconds, player } = options;
  const [command, args] = player === "ffmpeg" ? ffmpegCommand(options) : gstreamerCommand(options);
  const timeoutMs = seconds * 1000 + START_AND_END_MS;
  const result = await context.startPeer({ name, command, args, timeoutMs, folder: context.folder }).ended;
  const { code, stderr } = result;
  return {
    code,
    ...(player === "ffmpeg" ? ffmpegCounts(result) : gstreamerCounts(result)),
    complaints: complaintsIn(stderr),
    refusals: refusalsIn(stderr),
  };
}

function ffmpegCommand(options: PlayOptions): [string, readonly string[]] {
  const { url, transport, seconds, credentials } = options;
  const { user, password } = credentials ?? {};
  const target = user === undefined ? url : url.replace("rtsp://", `rtsp://${user}:${password}@`);
  const input = ["-rtsp_transport", transport, "-buffer_size", "4000000", "-threads", "1", "-i", target];
  // Every frame as it was decoded: none repeated or left out to fit a rate.
  const output = ["-t", String(seconds), "-map", "0:v", "-map", "0:a", "-fps_mode", "passthrough"];
  return ["ffmpeg", ["-nostdin", "-loglevel", "error", ...input, ...output, "-f", "framecrc", "-"]];
}

/** Lines of framecrc: stream, dts, pts, duration, size, checksum. */
function ffmpegCounts({ stdout }: PeerResult): Pick<Played, "pictures" | "soundBytes"> {
  const rows = stdout.split("\n").map((line) => line.split(","));
  const sizes = rows.filter(([stream]) => stream === "1").map((columns) => Number(columns[4]));
  return {
    pictures: rows.filter(([stream]) => stream === "0").length,
    soundBytes: sizes.reduce((total, size) => total + size, 0),
  };
}

function gstreamerCommand(options: PlayOptions): [string, readonly string[]] {
  const { url, transport, seconds, credentials, authorities } = options;
  const script = fileURLToPath(new URL("../../../peers/rtsp-player.py", import.meta.url));
  const args = [script, url, "--transport", transport, "--seconds", String(seconds)];
  if (authorities !== undefined) args.push("--ca", authorities);
  if (credentials) args.push("--user", credentials.user, "--password", credentials.password);
  // Debian's Python has the binding; another one first in the path may not.
  return ["/usr/bin/python3", args];
}

function gstreamerCounts({ stdout }: PeerResult): Pick<Played, "pictures" | "soundBytes"> {
  const line = stdout.trim().split("\n").at(-1) ?? "";
  const counts = (line === "" ? {} : JSON.parse(line)) as { video?: number; audio?: number };
  return { pictures: counts.video ?? 0, soundBytes: counts.audio ?? 0 };
}

/** ffmpeg takes ports at random for RTP until it finds a pair that is free, and says so of each that was not. */
const PORT_TAKEN = /\[udp @ .*\] bind failed: Address already in use/;

function complaintsIn(stderr: string): readonly string[] {
  return stderr
    .split("\n")
    .map((line) => line.replaceAll(/0x[0-9a-f]+|rtsp:\/\/\S+/g, "…").trim())
    .filter((line) => line !== "" && !PORT_TAKEN.test(line));
}

function refusalsIn(stderr: string): readonly number[] {
  // GStreamer says the reason alone.
  const codes = [...stderr.matchAll(/\b([45]\d\d) [A-Z]/g)].map(([, code]) => Number(code));
  return codes.length === 0 && /Unauthorized/.test(stderr) ? [401] : [...new Set(codes)];
}
