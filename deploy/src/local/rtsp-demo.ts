// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { mkdirSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { ViewedStream } from "../media/incoming-media.ts";
import type { SourceCounts } from "../media/live-source.ts";
import { RtspCamera } from "../media/rtsp/rtsp-camera.ts";
import { RtspViewer } from "../media/rtsp/rtsp-viewer.ts";
import { type Mesh, startMesh } from "../mesh/mesh.ts";
import { until } from "../process/until.ts";
import type { DemoOptions } from "./demo.ts";
import { choosePorts, RTSP_PORTS } from "./demo-ports.ts";
import { rtspWelcome } from "./demo-text.ts";
import { isClean, type Summary, summarise } from "./summary.ts";
import { watchMesh } from "./watch-mesh.ts";

const checkout = fileURLToPath(new URL("../../../", import.meta.url));
const URL_OF_STREAM = `rtsp://127.0.0.1:${RTSP_PORTS.proxy}/lobby`;
/** How long the last datagrams may take from the camera to the viewer. */
const DRAIN_MS = 2000;

/** Runs the mesh with an RTSP camera and a viewer; returns what it came to, and whether all media arrived. */
export async function runRtspDemo(
  options: DemoOptions,
): Promise<{ readonly summary: Summary; readonly isClean: boolean }> {
  const folder = join(checkout, ".msm");
  mkdirSync(folder, { recursive: true });
  const ports = await choosePorts(options.print, "tcp", Object.values(RTSP_PORTS));
  const camera = await RtspCamera.start({ port: RTSP_PORTS.camera });
  try {
    const mesh = await startMesh({
      ...ports,
      folder,
      config: { path: options.config ?? join(checkout, "deploy/local/rtsp.yaml") },
      ports: [RTSP_PORTS.proxy],
      ...(options.io === undefined ? {} : { io: options.io }),
    });
    try {
      options.print(rtspWelcome(mesh, URL_OF_STREAM, relative(process.cwd(), folder) || "."));
      return await view(options, mesh, camera);
    } finally {
      await mesh.stop();
    }
  } finally {
    await camera.stop();
  }
}

async function view(options: DemoOptions, mesh: Mesh, camera: RtspCamera) {
  const viewer = await RtspViewer.start({ url: URL_OF_STREAM });
  try {
    const startedAt = performance.now();
    await watchMesh(options, mesh, () => viewer.streams);
    const elapsedMs = performance.now() - startedAt;
    const [sent] = camera.readers;
    if (sent === undefined)
      throw new Error("the camera has no session: its media do not come from the proxy");
    // From here on it sends nothing: what it sent until now is what has to arrive.
    const stopped = camera.stop();
    const summary = () => summarise(sent, sameNumbers(viewer.streams, sent), elapsedMs);
    await until("the last datagram arrived", () => summary().lost === 0, DRAIN_MS).catch(() => undefined);
    await stopped;
    return { summary: summary(), isClean: isClean(summary()) };
  } finally {
    await viewer.stop();
  }
}

/** A proxy may give each reader an SSRC of its own (RFC 3550 section 7); here each kind has one stream. */
function sameNumbers(streams: readonly ViewedStream[], sent: SourceCounts): readonly ViewedStream[] {
  return streams.map((stream) => ({ ...stream, ssrc: sent[stream.kind].ssrc }));
}
