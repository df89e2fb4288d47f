// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { MediaWatch } from "./media-watch.ts";
import { liveStream } from "./testing/live-stream.ts";

const ENDPOINT = "10.0.0.1:5004";

test("the packets and losses of an endpoint's streams are those since the look before, its jitter their mean", () => {
  const watch = new MediaWatch();
  const streams = (packets: number, lost: number) => [
    liveStream({ ssrc: 1, packets, lost, jitterMs: 10 }),
    liveStream({ ssrc: 2, packets: packets * 3, lost: 0, jitterMs: 2 }),
    liveStream({ ssrc: 3, packets, lost: packets, endpoint: "10.0.0.2:5004" }),
  ];
  watch.look(streams(1000, 500));
  expect(watch.of(ENDPOINT)).toBeUndefined();
  watch.look(streams(1090, 510));
  expect(watch.of(ENDPOINT)).toEqual({ look: 2, expected: 370, lost: 10, jitterMs: 4 });
  watch.look([]);
  expect(watch.of(ENDPOINT)).toBeUndefined();
});

test("what an endpoint reports of streams to it counts by the packets sent, what a client reports does not", () => {
  const watch = new MediaWatch();
  const far = { fractionLost: 0.25, cumulativeLost: 7, jitterMs: 8, roundTripMs: null };
  const streams = (packets: number) => [
    liveStream({ ssrc: 1, packets, upstreamDirection: false, lost: 99, far }),
    liveStream({
      ssrc: 2,
      packets,
      upstreamDirection: true,
      lost: 0,
      jitterMs: 8,
      far: { ...far, fractionLost: 1 },
    }),
  ];
  watch.look(streams(0));
  watch.look(streams(100));
  expect(watch.of(ENDPOINT)).toEqual({ look: 2, expected: 200, lost: 25, jitterMs: 8 });
});

test("a stream that began anew counts from its next look on, and duplicates are no gain", () => {
  const watch = new MediaWatch();
  watch.look([liveStream({ packets: 1000, lost: 5 })]);
  watch.look([liveStream({ packets: 10, lost: 0 })]);
  expect(watch.of(ENDPOINT)).toBeUndefined();
  watch.look([liveStream({ packets: 60, lost: -20 })]);
  expect(watch.of(ENDPOINT)).toMatchObject({ expected: 50, lost: 0 });
});

test("a flow's stream counts for the host that sends it", () => {
  const watch = new MediaWatch();
  const flow = (packets: number) => [
    liveStream({ packets, lost: packets / 10, source: "[2001:db8::1]:40000", endpoint: "3 receivers" }),
  ];
  watch.look(flow(100));
  watch.look(flow(200));
  expect(watch.of("[2001:db8::1]")).toMatchObject({ expected: 110, lost: 10 });
});
