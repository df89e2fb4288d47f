// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import type { ViewedStream } from "../media/incoming-media.ts";
import { isClean, summarise } from "./summary.ts";

const sent = {
  frames: 25,
  video: { ssrc: 1, datagrams: 100, bytes: 0, far: null },
  audio: { ssrc: 2, datagrams: 50, bytes: 0, far: null },
};

function viewed(change: Partial<ViewedStream> & { ssrc: number }): ViewedStream {
  const counts = {
    received: 0,
    lost: 0,
    duplicated: 0,
    reordered: 0,
    restarts: 0,
    jitterMs: 0,
    highestSequence: 0,
  };
  return { ...counts, kind: "video", bytes: 10, frames: 25, frameGaps: 0, lastCounter: 24, ...change };
}

test("is clean when every datagram sent arrived", () => {
  const streams = [
    viewed({ ssrc: 1, received: 100, jitterMs: 2 }),
    viewed({ ssrc: 2, received: 50, jitterMs: 1 }),
  ];
  const summary = summarise(sent, streams, 1000);
  expect(summary).toEqual({
    datagrams: 150,
    lost: 0,
    jitterMs: 2,
    bytes: 20,
    frames: 25,
    frameGaps: 0,
    seconds: 1,
    streams: 2,
  });
  expect(isClean(summary)).toBe(true);
});

test("finds losses at the end of a stream, which no sequence number shows, and a stream that never came", () => {
  const summary = summarise(sent, [viewed({ ssrc: 1, received: 98 })], 1000);
  expect(summary.lost).toBe(2 + 50);
  expect(isClean(summary)).toBe(false);
});

test("does not let a duplicate make up for a loss", () => {
  const streams = [viewed({ ssrc: 1, received: 100, duplicated: 1 }), viewed({ ssrc: 2, received: 50 })];
  expect(summarise(sent, streams, 1000).lost).toBe(1);
});

test("is not clean when nothing flowed", () => {
  expect(isClean(summarise(sent, [], 1000))).toBe(false);
});
