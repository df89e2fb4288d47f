// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Continue, FilterHarness, receiverReport, rtp, senderReport } from "@msm/filter-sdk/testing";
import { beforeEach, expect, test } from "vitest";

const SOURCE = 0xaaaa_0001;
const VIEWER = 0xbbbb_0002;
const NTP = 0x1234_5678_9abc_def0n;
/** The middle 32 bits of `NTP`. */
const LSR = 0x5678_9abc;
const MS = 1_000_000n;

let stats: FilterHarness;

beforeEach(async () => {
  stats = await FilterHarness.load("rtp-stats");
});

function compound(...packets: Uint8Array[]): Uint8Array {
  return Uint8Array.from(packets.flatMap((packet) => [...packet]));
}

test("tells loss and jitter as the receiver sees them, of the stream that flows the other way", () => {
  stats.run([rtp({ ssrc: SOURCE, payloadType: 0 })], { from: "endpoint" });
  const block = { ssrc: SOURCE, fractionLost: 64, cumulativeLost: -3, jitter: 160 };
  stats.run([receiverReport({ senderSsrc: VIEWER, blocks: [block] })], { from: "client" });
  expect(stats.streams()).toEqual([
    expect.objectContaining({
      upstreamDirection: true,
      ssrc: SOURCE,
      packets: 1,
      far: { fractionLost: 0.25, cumulativeLost: -3, jitterMs: 20, roundTripMs: null },
    }),
  ]);
});

test("reads every block of a report, however many there are", () => {
  const blocks = Array.from({ length: 31 }, (_, i) => ({ ssrc: i + 1, cumulativeLost: i }));
  stats.run([receiverReport({ senderSsrc: VIEWER, blocks })], { from: "client" });

  const lost = stats.streams().map(({ ssrc, far }) => [ssrc, far?.cumulativeLost]);
  expect(new Map(lost as [number, number][])).toEqual(new Map(blocks.map((block, i) => [block.ssrc, i])));
});

test("measures the round trip from a sender report that passed to its answer, less the receiver's delay", () => {
  const sentAt = stats.nowNs;
  stats.run([senderReport({ senderSsrc: SOURCE, ntp: NTP })], { from: "endpoint", rxNs: [sentAt] });
  // Half a second of delay at the receiver, 42 ms on the way.
  const block = { ssrc: SOURCE, lsr: LSR, dlsr: 0x8000 };
  const answer = receiverReport({ senderSsrc: VIEWER, blocks: [block] });
  stats.run([answer], { from: "client", rxNs: [sentAt + 542n * MS] });
  expect(stats.streams()[0]?.far?.roundTripMs).toBeCloseTo(42, 3);
  expect(stats.observations("msm_rtcp_round_trip_seconds")[0]).toBeCloseTo(0.042, 6);
});

test("knows the sender report before the last one, which an answer may have crossed", () => {
  const at = stats.nowNs;
  const report = (ntp: bigint) => senderReport({ senderSsrc: SOURCE, ntp });
  stats.run([report(NTP), report(NTP + 0x1_0000_0000n)], { from: "endpoint", rxNs: [at, at + 30n * MS] });
  const answer = receiverReport({ senderSsrc: VIEWER, blocks: [{ ssrc: SOURCE, lsr: LSR }] });
  stats.run([answer], { rxNs: [at + 40n * MS] });
  expect(stats.streams()[0]?.far?.roundTripMs).toBeCloseTo(40, 3);
});

test.each([
  ["answers a report that never passed", LSR + 1, 0],
  ["claims more delay than there was time", LSR, 0x10_0000],
])("measures nothing when a receiver %s", (_, lsr, dlsr) => {
  const at = stats.nowNs;
  stats.run([senderReport({ senderSsrc: SOURCE, ntp: NTP })], { from: "endpoint", rxNs: [at] });
  const answer = receiverReport({ senderSsrc: VIEWER, blocks: [{ ssrc: SOURCE, lsr, dlsr }] });
  stats.run([answer], { rxNs: [at + 5n * MS] });
  expect(stats.streams()[0]?.far?.roundTripMs).toBeNull();
  expect(stats.observations("msm_rtcp_round_trip_seconds")).toEqual([]);
});

test("reads the blocks of a sender report, and the packets behind the first of a compound", () => {
  const both = compound(
    senderReport({ senderSsrc: VIEWER, ntp: NTP, blocks: [{ ssrc: SOURCE, fractionLost: 128 }] }),
    receiverReport({ senderSsrc: VIEWER, blocks: [{ ssrc: SOURCE + 1, fractionLost: 32 }] }),
  );
  stats.run([both]);
  expect(stats.streams().map((stream) => [stream.ssrc, stream.packets, stream.far?.fractionLost])).toEqual([
    [SOURCE, 0, 0.5],
    [SOURCE + 1, 0, 0.125],
  ]);
});

test("learns the clock from two sender reports where RTCP has a session of its own", () => {
  const report = (seconds: bigint) =>
    senderReport({
      senderSsrc: SOURCE,
      ntp: NTP + (seconds << 32n),
      timestamp: 5_000 + 90_010 * Number(seconds),
    });
  stats.run([report(0n), report(1n)], { from: "endpoint", session: 1 });
  const answer = receiverReport({ senderSsrc: VIEWER, blocks: [{ ssrc: SOURCE, jitter: 900 }] });
  stats.run([answer], { session: 1 });
  expect(stats.streams()[0]).toMatchObject({ clockRateHz: 90_000, packets: 0, far: { jitterMs: 10 } });
});

test("a source that only sends reports is no stream", () => {
  stats.run([senderReport({ senderSsrc: SOURCE, ntp: NTP })]);
  expect(stats.streams()).toEqual([]);
  expect(stats.metric("msm_rtcp_packets_total")).toBe(1);
});

test("a report that is cut short anywhere is passed on and does no harm", () => {
  const block = { ssrc: SOURCE, fractionLost: 1 };
  const whole = compound(
    senderReport({ senderSsrc: VIEWER, ntp: NTP, blocks: [block, block] }),
    receiverReport({ senderSsrc: VIEWER, blocks: [block] }),
  );
  for (let length = 0; length <= whole.length; length++) {
    expect(stats.run([whole.subarray(0, length)]).actions).toEqual([Continue]);
  }
  expect(stats.isFailed).toBe(false);
});
