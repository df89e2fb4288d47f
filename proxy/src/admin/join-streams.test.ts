// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import type { LiveStream } from "../datapath/datapath.ts";
import { joinStreams } from "./join-streams.ts";
import { streamsTable } from "./streams-table.ts";

const rtp: LiveStream = {
  ...{ listener: "video", filter: "rtp-stats", worker: 0, session: 3, upstreamDirection: false },
  ...{
    client: "10.0.0.7:5000",
    endpoint: "127.0.0.1:6004",
    ssrc: 0xbeef,
    payloadType: 96,
    clockRateHz: 90_000,
  },
  ...{ packets: 1000, bytes: 1_316_000, lost: 3, reordered: 0, duplicated: 0, restarts: 0, jitterMs: 1.25 },
  far: null,
};
const far = { fractionLost: 0.125, cumulativeLost: 4, jitterMs: 2, roundTripMs: 40.04 };
const rtcp: LiveStream = {
  ...rtp,
  ...{
    listener: "video-rtcp",
    client: "10.0.0.7:5001",
    endpoint: "127.0.0.1:6005",
    packets: 0,
    bytes: 0,
    far,
  },
};

test("a report on the RTCP port joins the stream on the port before it", () => {
  expect(joinStreams([rtcp, rtp])).toEqual([{ ...rtp, far }]);
});

test.each([
  ["of another client", { client: "10.0.0.8:5001" }],
  ["of another port", { client: "10.0.0.7:5003" }],
  ["on another source", { ssrc: 1 }],
])("a report %s stays a row of its own", (_, changes) => {
  const report = { ...rtcp, ...changes };
  expect(joinStreams([rtp, report])).toEqual([rtp, report]);
});

test("of one source that travels both ways each direction gets its own report", () => {
  const back = { ...rtp, upstreamDirection: true };
  const backReport = { ...rtcp, upstreamDirection: true, far: { ...far, cumulativeLost: 9 } };
  const joined = joinStreams([rtp, back, backReport, rtcp]);
  expect(joined.map((stream) => stream.far?.cumulativeLost)).toEqual([4, 9]);
});

test("a stream that has a report of its own keeps it, as where RTP and RTCP share a port", () => {
  const muxed = { ...rtp, far: { ...far, cumulativeLost: 1 } };
  expect(joinStreams([muxed, rtcp])).toEqual([muxed, rtcp]);
});

test("addresses of IPv6 are compared the same way", () => {
  const pair = [
    { ...rtp, client: "[fe80::1]:5000" },
    { ...rtcp, client: "[fe80::1]:5001" },
  ];
  expect(joinStreams(pair)).toHaveLength(1);
});

test("the table has a line for each stream, with what is known of it", () => {
  const [heading, one, two] = streamsTable([{ ...rtp, far }, rtp]).split("\n");
  expect(heading).toMatch(/^LISTENER +CLIENT +ENDPOINT +SSRC +PT +PACKETS +LOST +JITTER +FAR LOSS +RTT$/);
  expect(one).toMatch(
    /^video +10\.0\.0\.7:5000 +-> +127\.0\.0\.1:6004 +0000beef +96 +1000 +3 +1\.25 ms +12\.5 % +40\.0 ms$/,
  );
  expect(two).toMatch(/1\.25 ms +- +-$/);
});
