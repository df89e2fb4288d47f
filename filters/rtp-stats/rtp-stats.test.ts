// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Continue, FilterHarness, rtp } from "@msm/filter-sdk/testing";
import { beforeEach, expect, test } from "vitest";

const PCMU = 0;
const DYNAMIC = 96;
const SSRC = 0xdeadbeef;

let stats: FilterHarness;

beforeEach(async () => {
  stats = await FilterHarness.load("rtp-stats", { clockRates: { [DYNAMIC]: 90_000 } });
});

/** Runs packets with these sequence numbers as one batch and returns the stream. */
function receive(...sequenceNumbers: number[]) {
  stats.run(sequenceNumbers.map((sequenceNumber) => rtp({ payloadType: PCMU, ssrc: SSRC, sequenceNumber })));
  return stats.streams()[0];
}

test("passes everything on as it came", () => {
  const datagrams = [rtp({ ssrc: 1, payload: 100 }), new Uint8Array([1, 2, 3]), new Uint8Array(0)];
  const { actions, payloads } = stats.run(datagrams);
  expect(actions).toEqual([Continue, Continue, Continue]);
  expect(payloads).toEqual(datagrams);
});

test("a stream without trouble has only packets and bytes", () => {
  expect(receive(1, 2, 3)).toMatchObject({
    session: 0,
    upstreamDirection: false,
    ssrc: SSRC,
    payloadType: PCMU,
    clockRateHz: 8_000,
    packets: 3,
    bytes: 36,
    lost: 0,
    reordered: 0,
    duplicated: 0,
    restarts: 0,
    far: null,
  });
});

test("a gap is loss, also where the sequence wraps", () => {
  expect(receive(65_533, 65_534, 1, 2)).toMatchObject({ packets: 4, lost: 2, restarts: 0 });
  expect(stats.metric("msm_rtp_packets_lost_total")).toBe(2);
});

test("a late packet takes its loss back, and is counted as reordered", () => {
  expect(receive(65_535, 1, 0, 2)).toMatchObject({ packets: 4, lost: 0, reordered: 1, duplicated: 0 });
  // The counter cannot fall: what is really lost is lost less reordered less duplicated.
  expect(stats.metric("msm_rtp_packets_lost_total")).toBe(1);
  expect(stats.metric("msm_rtp_packets_reordered_total")).toBe(1);
});

test("a packet that comes again is a duplicate, the newest as well as a late one", () => {
  expect(receive(10, 11, 11, 12, 10)).toMatchObject({ packets: 5, lost: -2, reordered: 0, duplicated: 2 });
  expect(stats.metric("msm_rtp_packets_duplicated_total")).toBe(2);
});

test("a late packet that comes twice is late once and a duplicate once", () => {
  expect(receive(10, 80, 15, 15)).toMatchObject({ reordered: 1, duplicated: 1 });
});

test("every packet up to 99 behind the newest is known as late or duplicate, behind a gap of any size", async () => {
  const filter = await FilterHarness.load("rtp-stats", {}, { capacity: 256 });
  for (let gap = 1; gap <= 130; gap++) {
    const receiveAll = (...numbers: number[]) => {
      filter.run(numbers.map((sequenceNumber) => rtp({ ssrc: gap, sequenceNumber })));
    };
    // Every third one is missing at first, so that the window is no plain run.
    const before = Array.from({ length: 200 }, (_, i) => 65_400 + i).filter((number) => number % 3 !== 0);
    const newest = 65_400 + 199 + gap;
    receiveAll(...before, newest);
    const behind = Array.from({ length: 99 }, (_, i) => newest - i - 1);
    const taken = behind.filter((number) => {
      const late = filter.metric("msm_rtp_packets_reordered_total");
      receiveAll(number, number);
      return filter.metric("msm_rtp_packets_reordered_total") === late + 1;
    });
    expect(taken).toEqual(behind.filter((number) => !before.includes(number)));
    expect(filter.streams()[gap - 1]?.duplicated).toBe(2 * behind.length - taken.length);
  }
});

test("up to 2,999 ahead is loss, further is a jump", () => {
  expect(receive(1, 1 + 2_999)).toMatchObject({ lost: 2_998, restarts: 0 });
  expect(receive(3_000 + 3_000, 3_000 + 3_001)).toMatchObject({ lost: 2_998, restarts: 1 });
});

test("two packets in sequence far from the others begin the sequence anew (RFC 3550 A.1)", () => {
  expect(receive(1, 3, 30_000, 30_001, 30_002)).toMatchObject({ packets: 5, lost: 1, restarts: 1 });
  expect(stats.metric("msm_rtp_seq_resets_total")).toBe(1);
});

test("one packet far from the others does not", () => {
  expect(receive(1, 2, 30_000, 3, 4)).toMatchObject({ packets: 5, lost: 0, restarts: 0 });
});

test("streams are kept apart by session, direction and SSRC", () => {
  stats.run([rtp({ ssrc: 1 }), rtp({ ssrc: 2 })]);
  stats.run([rtp({ ssrc: 1 })], { from: "endpoint" });
  stats.run([rtp({ ssrc: 1 })], { session: 5 });
  const streams = stats.streams().map((s) => [s.session, s.upstreamDirection, s.ssrc, s.packets]);
  expect(streams).toEqual([
    [0, false, 1, 1],
    [0, false, 2, 1],
    [0, true, 1, 1],
    [5, false, 1, 1],
  ]);
});

test("a closed session's streams are forgotten, and its number starts with none", () => {
  stats.run([rtp({ ssrc: 1 }), rtp({ ssrc: 2 })], { session: 7 });
  stats.run([rtp({ ssrc: 3 })], { session: 8 });
  stats.closeSession(7);
  expect(stats.streams().map((stream) => stream.ssrc)).toEqual([3]);
  stats.run([rtp({ ssrc: 1, sequenceNumber: 900 })], { session: 7 });
  expect(stats.streams().find((stream) => stream.ssrc === 1)).toMatchObject({ packets: 1, lost: 0 });
});

test("what is not RTP is counted and makes no stream", () => {
  const versionOne = rtp({ version: 1, payload: 20 });
  const tooShort = rtp().subarray(0, 11);
  const csrcsMissing = rtp({ csrcs: [1, 2] }).subarray(0, 19);
  stats.run([versionOne, tooShort, csrcsMissing]);
  expect(stats.streams()).toEqual([]);
  expect(stats.metric("msm_rtp_not_rtp_total")).toBe(3);
});

test("RTCP on the same port is not taken for RTP (RFC 5761 section 4)", () => {
  // Payload type 72 with the marker bit is what a sender report's type 200 looks like.
  stats.run([
    rtp({ payloadType: 72, marker: true }),
    rtp({ payloadType: 72 }),
    rtp({ payloadType: 63, marker: true }),
  ]);
  expect(stats.metric("msm_rtcp_packets_total")).toBe(1);
  expect(stats.metric("msm_rtp_packets_total")).toBe(2);
});

test("bytes are those of the whole datagram, not of the window that the filter sees", () => {
  stats.run([rtp({ ssrc: SSRC, payload: 1_316 }), rtp({ ssrc: SSRC, sequenceNumber: 1, payload: 1_316 })]);
  expect(stats.streams()[0]?.bytes).toBe(2 * 1_328);
  expect(stats.metric("msm_rtp_bytes_total")).toBe(2 * 1_328);
});

test("each active stream's jitter is observed once a second, and streams that stopped are not active", () => {
  stats.tick(0);
  stats.run([rtp({ ssrc: 1 }), rtp({ ssrc: 2, payloadType: DYNAMIC }), rtp({ ssrc: 3, payloadType: 97 })]);
  stats.tick(999);
  expect(stats.observations("msm_rtp_jitter_seconds")).toEqual([]);
  stats.tick(1);
  // The clock of payload type 97 is not known, so that stream has no jitter to observe.
  expect(stats.observations("msm_rtp_jitter_seconds")).toEqual([0, 0]);
  expect(stats.metric("msm_streams_active")).toBe(3);
  stats.tick(1_000);
  expect(stats.metric("msm_streams_active")).toBe(0);
});

test.each<[string, unknown]>([
  ["unknown field", { clockRate: {} }],
  ["payload type", { clockRates: { "128": 90_000 } }],
  ["payload type", { clockRates: { audio: 8_000 } }],
  ["whole number", { clockRates: { "96": 0 } }],
  ["number is expected", { clockRates: { "96": "90000" } }],
  ["object is expected", { clockRates: [] }],
  ["closing brace", new TextEncoder().encode('{"clockRates":{}')],
  ["end is expected", new TextEncoder().encode("{} {}")],
])("refuses a configuration with a mistake and says: %s", async (problem, config) => {
  await expect(FilterHarness.load("rtp-stats", config)).rejects.toThrow(problem);
});

test("takes no configuration at all as a good one", async () => {
  await expect(FilterHarness.load("rtp-stats", new Uint8Array())).resolves.toBeDefined();
});
