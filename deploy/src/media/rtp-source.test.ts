// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test, vi } from "vitest";
import type { Clock } from "./clock.ts";
import { RtpSource } from "./rtp-source.ts";
import { RtpViewer } from "./rtp-viewer.ts";

/** A clock that jumps to the next timer as soon as the sockets had a turn: minutes pass in a moment. */
function hurriedClock(): Clock {
  let nowMs = 0;
  return {
    now: () => nowMs,
    wallMs: () => 1_700_000_000_000 + nowMs,
    after(delayMs, call) {
      const handle = setImmediate(() => {
        nowMs += delayMs;
        call();
      });
      return () => clearImmediate(handle);
    },
  };
}

test("sends both streams whole: every datagram and frame arrives, numbered without a gap", async () => {
  const viewer = await RtpViewer.start({ videoPort: 0, audioPort: 0 });
  const source = await RtpSource.start({
    video: { address: "127.0.0.1", port: viewer.videoPort },
    audio: { address: "127.0.0.1", port: viewer.audioPort },
    frames: 125,
    clock: hurriedClock(),
  });
  await source.ended;
  await vi.waitFor(() => {
    const [video, audio] = viewer.streams;
    expect(video).toMatchObject({ kind: "video", lost: 0, frames: 125, frameGaps: 0 });
    expect(video!.received).toBe(source.counts.video.datagrams);
    expect(audio).toMatchObject({ kind: "audio", lost: 0, received: source.counts.audio.datagrams });
  });
  // 125 frames last five seconds; so do the 20 ms packets of the tone, give or take the last frame's.
  expect(Math.abs(source.counts.audio.datagrams - 250)).toBeLessThanOrEqual(3);
  await source.stop();
  viewer.stop();
});

test("gets receiver reports back: no loss, and a round trip", async () => {
  const viewer = await RtpViewer.start({ videoPort: 0, audioPort: 0 });
  const source = await RtpSource.start({
    video: { address: "127.0.0.1", port: viewer.videoPort },
    audio: { address: "127.0.0.1", port: viewer.audioPort },
    clock: hurriedClock(),
    random: () => 0.25,
  });
  await vi.waitFor(() => {
    for (const { far } of [source.counts.video, source.counts.audio]) {
      expect(far).toMatchObject({ cumulativeLost: 0 });
      expect(far!.roundTripMs).toBeGreaterThanOrEqual(0);
    }
  });
  await source.stop();
  viewer.stop();
});

test("hands a copy of everything to a player's ports", async () => {
  const player = await RtpViewer.start({ videoPort: 0, audioPort: 0 });
  const viewer = await RtpViewer.start({
    videoPort: 0,
    audioPort: 0,
    copyTo: { videoPort: player.videoPort, audioPort: player.audioPort },
  });
  const source = await RtpSource.start({
    video: { address: "127.0.0.1", port: viewer.videoPort },
    audio: { address: "127.0.0.1", port: viewer.audioPort },
    frames: 60,
    clock: hurriedClock(),
  });
  await source.ended;
  await vi.waitFor(() => expect(player.streams[0]).toMatchObject({ frames: 60, lost: 0, frameGaps: 0 }));
  await source.stop();
  viewer.stop();
  player.stop();
});
