// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { ViewedStream } from "../media/incoming-media.ts";
import type { SourceCounts } from "../media/live-source.ts";

/** What a run of the demo came to; the last line that it prints is this as JSON. */
export interface Summary {
  /** Datagrams of RTP that arrived at the viewer. */
  readonly datagrams: number;
  /** Datagrams that were sent and did not arrive. */
  readonly lost: number;
  /** The largest RFC 3550 jitter of any stream, at the viewer. */
  readonly jitterMs: number;
  readonly bytes: number;
  /** Whole frames, and how often the number in the picture did not go up by one. */
  readonly frames: number;
  readonly frameGaps: number;
  readonly seconds: number;
  readonly streams: number;
}

/** Compares what was sent with what arrived, which also finds a stream that never came. */
export function summarise(sent: SourceCounts, streams: readonly ViewedStream[], elapsedMs: number): Summary {
  const arrived = [sent.video, sent.audio].map(({ ssrc }) => streams.find((stream) => stream.ssrc === ssrc));
  const lost = [sent.video, sent.audio].map(({ datagrams }, index) => {
    const stream = arrived[index];
    return Math.max(datagrams - (stream ? stream.received - stream.duplicated : 0), stream?.lost ?? 0);
  });
  const sum = (pick: (stream: ViewedStream) => number) =>
    streams.reduce((total, stream) => total + pick(stream), 0);
  const video = arrived[0];
  return {
    datagrams: sum((stream) => stream.received),
    lost: lost.reduce((total, count) => total + count, 0),
    jitterMs: round(Math.max(0, ...streams.map((stream) => stream.jitterMs))),
    bytes: sum((stream) => stream.bytes),
    frames: video?.frames ?? 0,
    frameGaps: video?.frameGaps ?? 0,
    seconds: round(elapsedMs / 1000),
    streams: streams.length,
  };
}

/** Whether media flowed, all of it. */
export function isClean(summary: Summary): boolean {
  return summary.streams >= 2 && summary.frames > 0 && summary.lost === 0 && summary.frameGaps === 0;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
