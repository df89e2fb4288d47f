// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import type { ProxyFlow, ProxyLeg, ProxyStream } from "../mesh/proxy-admin.ts";
import { type TopSample, topTable } from "./top-table.ts";

function leg(id: string, change: Partial<ProxyLeg> = {}): ProxyLeg {
  const counts = { receivedDatagrams: 0, receivedBytes: 0, sentDatagrams: 0, sentBytes: 0 };
  return { id, role: "receiver", isEnabled: true, transport: "udp", ...counts, dropped: {}, ...change };
}

const stream: ProxyStream = {
  listener: "cams/lobby/video",
  client: "10.0.0.9:6000",
  endpoint: "2 receivers",
  upstreamDirection: true,
  ssrc: 1,
  payloadType: 96,
  clockRateHz: 90_000,
  packets: 100,
  bytes: 1000,
  lost: 3,
  reordered: 0,
  duplicated: 0,
  restarts: 0,
  jitterMs: 1.5,
  far: { fractionLost: 0, cumulativeLost: 4, jitterMs: 2.5, roundTripMs: null },
};

function sample(atMs: number, bytes: number): TopSample {
  const flow: ProxyFlow = {
    owner: "rtsp",
    id: "1",
    stream: stream.listener,
    legs: [
      leg("camera", { role: "source", receivedDatagrams: 100, receivedBytes: bytes }),
      leg("slow", { sentBytes: bytes / 2, sentDatagrams: 50, dropped: { queue: 2, size: 1 } }),
      leg("fast", { sentBytes: bytes, sentDatagrams: 100, transport: "interleaved" }),
      leg("away", { isEnabled: false }),
    ],
  };
  const session = {
    ...stream,
    listener: "default/edge/rtp",
    client: "10.0.0.1:5000",
    endpoint: "10.0.0.2:6000",
  };
  return { atMs, flows: [flow], streams: [stream, { ...session, bytes, far: null }] };
}

test("shows each stream with its source and its readers, the busiest first, and streams without signalling", () => {
  expect(topTable(sample(2000, 250_000), sample(1000, 125_000), 2)).toMatchInlineSnapshot(`
    [
      "STREAM            LEG                             BY           KBIT/S  DATAGRAMS  LOST   JITTER  DROPPED",
      "cams/lobby/video  <- camera                       udp            1000        100     3  1.50 ms",
      "                  -> fast                         interleaved    1000        100     4  2.50 ms        0",
      "                  -> slow                         udp             500         50                       3",
      "                  -> and 1 more",
      "default/edge/rtp  10.0.0.1:5000 -> 10.0.0.2:6000  udp            1000        100     3  1.50 ms",
    ]
  `);
});

test("has no rate before the second sample", () => {
  expect(topTable(sample(1000, 125_000), undefined, 9)[1]).toMatch(/camera +udp +- /);
});
