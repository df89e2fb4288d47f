// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { connect } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { type CameraOptions, RtspCamera } from "./rtsp-camera.ts";
import { RtspClient } from "./rtsp-client.ts";
import { RtspViewer, type RtspViewerOptions } from "./rtsp-viewer.ts";

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop();
});

async function startCamera(options: CameraOptions = {}): Promise<RtspCamera> {
  const camera = await RtspCamera.start(options);
  open.push(camera);
  return camera;
}

async function view(
  camera: RtspCamera,
  stream = "test",
  transport: RtspViewerOptions["transport"] = "udp",
): Promise<RtspViewer> {
  const viewer = await RtspViewer.start({ url: `rtsp://127.0.0.1:${camera.port}/${stream}`, transport });
  open.push(viewer);
  return viewer;
}

/** Waits until so many whole pictures came. */
function frames(viewer: RtspViewer, count: number): Promise<void> {
  const video = () => viewer.streams.find(({ kind }) => kind === "video");
  return vi.waitFor(() => expect(video()?.frames).toBeGreaterThanOrEqual(count), { timeout: 20_000 });
}

for (const transport of ["udp", "tcp"] as const) {
  test(`plays picture and sound by ${transport} without a gap, and hears the viewer's reports`, async () => {
    const camera = await startCamera({ random: () => 0 });
    const viewer = await view(camera, "test", transport);
    await frames(viewer, 10);
    expect(viewer.streams).toMatchObject([
      { kind: "video", lost: 0, frameGaps: 0 },
      { kind: "audio", lost: 0 },
    ]);
    await vi.waitFor(() => expect(camera.readers[0]!.video.far).not.toBeNull(), { timeout: 20_000 });
    await viewer.stop();
    expect(camera.readers).toEqual([]);
  });
}

test("pauses, and goes on without a gap where it was", async () => {
  const camera = await startCamera();
  const viewer = await view(camera);
  await frames(viewer, 3);
  await viewer.pause();
  const sent = camera.readers[0]!.video.datagrams;
  await viewer.pause();
  expect(camera.readers[0]!.video.datagrams).toBe(sent);
  await viewer.play();
  await frames(viewer, 8);
  expect(viewer.streams[0]).toMatchObject({ lost: 0, frameGaps: 0 });
});

test("serves several streams whose pictures have numbers of their own", async () => {
  const camera = await startCamera({ streams: ["one", "two"] });
  const viewers = [await view(camera, "one"), await view(camera, "two")];
  await Promise.all(viewers.map((viewer) => frames(viewer, 2)));
  const [one, two] = viewers.map(({ streams }) => streams[0]!.lastCounter!);
  expect(one).toBeLessThan(100_000_000);
  expect(two).toBeGreaterThanOrEqual(100_000_000);
});

test("says no with RFC 2326's status where a stream, a transport or a session is not there", async () => {
  const camera = await startCamera({ transports: ["tcp"] });
  const url = `rtsp://127.0.0.1:${camera.port}`;
  await expect(RtspViewer.start({ url: `${url}/other` })).rejects.toMatchObject({ status: 404 });
  await expect(RtspViewer.start({ url: `${url}/test` })).rejects.toMatchObject({ status: 461 });
  const client = await RtspClient.connect(url);
  const status = (method: string, fields = {}) =>
    client.request(method, `${url}/test`, fields).then(
      ({ status }) => status,
      (error) => error.status,
    );
  expect(await status("PLAY", { Session: "none" })).toBe(454);
  expect(await status("SETUP", { Transport: "RTP/AVP/TCP;unicast" })).toBe(459);
  expect(await status("RECORD")).toBe(501);
  expect(await status("GET_PARAMETER")).toBe(200);
  client.close();
});

test("frees a session whose reader is silent, is reset or sends what is no RTSP", async () => {
  const camera = await startCamera({ sessionTimeoutMs: 500 });
  const silent = await RtspClient.connect(`rtsp://127.0.0.1:${camera.port}`);
  const Transport = "RTP/AVP/TCP;unicast;interleaved=0-1";
  await silent.request("SETUP", `rtsp://127.0.0.1:${camera.port}/test/trackID=0`, { Transport });
  expect(camera.readers).toHaveLength(1);
  await vi.waitFor(() => expect(camera.readers).toEqual([]), { timeout: 10_000 });
  silent.close();
  const reset = await view(camera);
  reset.abort();
  const socket = connect(camera.port, "127.0.0.1", () => socket.write("GET / HTTP/1.1\r\n\r\n"));
  await new Promise((resolve) => socket.once("close", resolve));
  await vi.waitFor(() => expect(camera.readers).toEqual([]), { timeout: 10_000 });
});
