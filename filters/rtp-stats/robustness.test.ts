// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Continue, FilterHarness, rtp } from "@msm/filter-sdk/testing";
import fc from "fast-check";
import { expect, test } from "vitest";

const MAX_STREAMS = 4_096;

test("garbage of any kind passes untouched and never stops the filter", async () => {
  const stats = await FilterHarness.load("rtp-stats");
  // Half of it with the version and the types of RTP and RTCP, so that it gets past the first checks.
  const header = fc.tuple(
    fc.integer({ min: 0x80, max: 0xbf }),
    fc.oneof(fc.nat(255), fc.integer({ min: 192, max: 223 })),
  );
  const tail = fc.uint8Array({ maxLength: 300 });
  const datagram = fc.oneof(
    tail,
    fc.tuple(header, tail).map(([start, rest]) => Uint8Array.from([...start, ...rest])),
  );
  fc.assert(
    fc.property(fc.array(datagram, { minLength: 1, maxLength: 64 }), fc.boolean(), (datagrams, isUp) => {
      const result = stats.run(datagrams, { from: isUp ? "endpoint" : "client" });
      expect(result.actions).toEqual(datagrams.map(() => Continue));
      expect(result.payloads).toEqual(datagrams);
    }),
    { numRuns: 300 },
  );
  expect(stats.isFailed).toBe(false);
});

test("a flood of SSRCs fills a table of fixed size and does not push out a stream that is alive", async () => {
  const stats = await FilterHarness.load("rtp-stats");
  const alive = 0x7000_0000;
  for (let round = 0; round < 400; round++) {
    const flood = Array.from({ length: 63 }, (_, i) => rtp({ ssrc: round * 63 + i }));
    stats.run([rtp({ ssrc: alive, sequenceNumber: round }), ...flood]);
    stats.tick(5);
  }
  const streams = stats.streams();
  expect(streams).toHaveLength(MAX_STREAMS);
  expect(streams.find((stream) => stream.ssrc === alive)).toMatchObject({ packets: 400, lost: 0 });
  expect(stats.metric("msm_rtp_packets_total")).toBe(400 * 64);
});

test("sessions that come and go leave the table empty, and every stream is found in between", async () => {
  const stats = await FilterHarness.load("rtp-stats");
  await fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(20), fc.nat(40)), { minLength: 1, maxLength: 300 }), (visits) => {
      const expected = new Map<string, number>();
      for (const [session, ssrc] of visits) {
        stats.run([rtp({ ssrc })], { session });
        expected.set(`${session}/${ssrc}`, (expected.get(`${session}/${ssrc}`) ?? 0) + 1);
      }
      const found = stats.streams().map((s) => [`${s.session}/${s.ssrc}`, s.packets] as const);
      expect(new Map(found)).toEqual(expected);
      for (const [session] of visits) stats.closeSession(session);
      expect(stats.streams()).toEqual([]);
    }),
    { numRuns: 50 },
  );
});

test("streams are still found after others that shared their place in the table are gone", async () => {
  const stats = await FilterHarness.load("rtp-stats");
  const sessions = Array.from({ length: 60 }, (_, i) => i);
  const packets = Array.from({ length: 64 }, (_, i) => rtp({ ssrc: i * 7_919 }));
  for (const session of sessions) stats.run(packets, { session });
  for (const session of sessions) if (session % 3 === 0) stats.closeSession(session);
  for (const session of sessions) if (session % 3 !== 0) stats.run(packets, { session });
  const streams = stats.streams();
  expect(streams).toHaveLength(40 * 64);
  expect(streams.filter((stream) => stream.packets !== 2)).toEqual([]);
});
