// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { setTimeout as delay } from "node:timers/promises";
import { type Command, InvalidArgumentError } from "commander";
import { type StatusSample, statusTable } from "../../local/status-table.ts";
import { RtspViewer } from "../../media/rtsp/rtsp-viewer.ts";

interface ViewerOptions {
  readonly transport: "udp" | "tcp";
  readonly seconds?: number;
}

const INTERVAL_MS = 1000;

/** Adds `viewer`: a player that shows numbers. */
export function register(program: Command): void {
  program
    .command("viewer")
    .description("play an RTSP stream and show what arrives: bitrate, loss, jitter; JSON in the last line")
    .argument("<url>", "rtsp://host:port/path")
    .option(
      "--transport <name>",
      "how media come: udp, or tcp for inside the connection",
      readTransport,
      "udp",
    )
    .option("--seconds <count>", "stop after so long; until Ctrl-C without", readSeconds)
    .addHelpText("after", "\nExample:\n  msm viewer rtsp://127.0.0.1:8554/test --transport tcp --seconds 10")
    .action(runViewer);
}

async function runViewer(url: string, { transport, seconds }: ViewerOptions): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => stop.abort());
  const viewer = await RtspViewer.start({ url, transport });
  void viewer.ended.then(() => stop.abort());
  const endsAt = performance.now() + (seconds ?? Number.POSITIVE_INFINITY) * 1000;
  let before: StatusSample | undefined;
  while (!stop.signal.aborted && performance.now() < endsAt) {
    const pause = Math.min(INTERVAL_MS, endsAt - performance.now());
    await delay(pause, undefined, { signal: stop.signal }).catch(() => undefined);
    const now = { atMs: performance.now(), viewed: viewer.streams, proxied: undefined };
    // The headings once, then a line for each stream.
    for (const line of statusTable(now, before).slice(before ? 1 : 0)) console.log(line);
    before = now;
  }
  await viewer.stop();
  console.log(JSON.stringify(viewer.streams));
  if (viewer.streams.every(({ received }) => received === 0)) throw new Error(`Nothing came from ${url}.`);
}

function readTransport(text: string): "udp" | "tcp" {
  if (text !== "udp" && text !== "tcp") throw new InvalidArgumentError("Write udp or tcp.");
  return text;
}

function readSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0)) throw new InvalidArgumentError("Write seconds such as 10.");
  return seconds;
}
