// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { PPS, SPS } from "../media/h264-encoder.ts";
import { RtpSource } from "../media/rtp-source.ts";
import { RtpViewer } from "../media/rtp-viewer.ts";
import { sessionDescription } from "../media/sdp.ts";
import { type Mesh, startMesh } from "../mesh/mesh.ts";
import { until } from "../process/until.ts";
import { choosePorts, DEMO_UDP_PORTS, MEDIA_PORTS, PLAYER_PORTS, VIEWER_PORTS } from "./demo-ports.ts";
import { welcome } from "./demo-text.ts";
import { isClean, type Summary, summarise } from "./summary.ts";
import { watchMesh } from "./watch-mesh.ts";

/** How the demo runs. */
export interface DemoOptions {
  /** Ends by itself after so long; runs until `signal` otherwise. */
  readonly seconds?: number;
  /** Passed to the proxy. */
  readonly io?: string;
  /** A file of mesh resources in the place of the demo's own. */
  readonly config?: string;
  readonly signal: AbortSignal;
  /** Takes a line of text. */
  readonly print: (line: string) => void;
  /** Rewrites the table in place; without it, lines are printed. */
  readonly repaint?: (lines: readonly string[]) => void;
}

const checkout = fileURLToPath(new URL("../../../", import.meta.url));
const LOOPBACK = "127.0.0.1";
/** How long the last datagrams may take from the source to the viewer. */
const DRAIN_MS = 2000;

/** Runs the mesh with a source and a viewer; returns what it came to, and whether all media arrived. */
export async function runDemo(
  options: DemoOptions,
): Promise<{ readonly summary: Summary; readonly isClean: boolean }> {
  const folder = join(checkout, ".msm");
  mkdirSync(folder, { recursive: true });
  const ports = await choosePorts(options.print, "udp", DEMO_UDP_PORTS);
  const sdpPath = join(folder, "demo.sdp");
  const sdp = {
    address: LOOPBACK,
    videoPort: PLAYER_PORTS.video,
    audioPort: PLAYER_PORTS.audio,
    sps: SPS,
    pps: PPS,
  };
  writeFileSync(sdpPath, sessionDescription(sdp));
  const viewer = await RtpViewer.start({
    videoPort: VIEWER_PORTS.video,
    audioPort: VIEWER_PORTS.audio,
    copyTo: { videoPort: PLAYER_PORTS.video, audioPort: PLAYER_PORTS.audio },
  });
  try {
    const mesh = await startMesh({
      ...ports,
      folder,
      config: { path: options.config ?? join(checkout, "deploy/local/mesh.yaml") },
      ports: [MEDIA_PORTS.video, MEDIA_PORTS.video + 1, MEDIA_PORTS.audio, MEDIA_PORTS.audio + 1],
      ...(options.io === undefined ? {} : { io: options.io }),
    });
    try {
      options.print(welcome(mesh, relative(process.cwd(), sdpPath), relative(process.cwd(), folder) || "."));
      return await stream(options, mesh, viewer);
    } finally {
      await mesh.stop();
    }
  } finally {
    viewer.stop();
  }
}

async function stream(options: DemoOptions, mesh: Mesh, viewer: RtpViewer) {
  const source = await RtpSource.start({
    video: { address: LOOPBACK, port: MEDIA_PORTS.video },
    audio: { address: LOOPBACK, port: MEDIA_PORTS.audio },
  });
  const startedAt = performance.now();
  await watchMesh(options, mesh, () => viewer.streams);
  const elapsedMs = performance.now() - startedAt;
  await source.stop();
  const sent = source.counts;
  await until(
    "the last datagram arrived",
    () => summarise(sent, viewer.streams, 0).lost === 0,
    DRAIN_MS,
  ).catch(() => undefined);
  const summary = summarise(sent, viewer.streams, elapsedMs);
  return { summary, isClean: isClean(summary) };
}
