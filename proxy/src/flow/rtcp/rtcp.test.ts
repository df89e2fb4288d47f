// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FeedbackWindow } from "./feedback-window.ts";
import { ReceiverReports } from "./receiver-reports.ts";
import { Reception, type ReportBlock } from "./reception.ts";
import { RtcpCursor } from "./rtcp-cursor.ts";
import { rtcpIntervalMs } from "./rtcp-interval.ts";
import { RtcpWriter } from "./rtcp-writer.ts";
import { type StreamMapping, translateSenderRtcp } from "./translate-sender-rtcp.ts";

const MAPPING: StreamMapping = {
  ssrcIn: 0x11,
  ssrcOut: 0x22,
  timestampOffset: -16,
  packets: 3,
  octets: 300,
  passesBye: true,
};

// SR of SSRC 0x11: NTP 1.5 s, RTP timestamp 8, 1000 packets, 5000 octets; SDES with CNAME "a"; BYE.
const SR = "80c80006000000110000000180000000" + "00000008000003e800001388";
const SDES = "81ca000200000011" + "01016100";
const BYE = "81cb000100000011";

function translate(hex: string, mapping: Partial<StreamMapping> = {}): string {
  const bytes = Buffer.from(hex, "hex");
  const cursor = new RtcpCursor();
  expect(cursor.reset(bytes, 0, bytes.length)).toBe(true);
  const out = Buffer.alloc(bytes.length);
  return out.subarray(0, translateSenderRtcp(cursor, bytes, { ...MAPPING, ...mapping }, out)).toString("hex");
}

function emptyBlock(): ReportBlock {
  return { fractionLost: 0, cumulativeLost: 0, highestSequence: 0, jitter: 0, lsr: 0, dlsr: 0 };
}

describe("a source's RTCP for a receiver whose stream is rewritten", () => {
  test("has the receiver's SSRC, timestamp and counts", () => {
    // 8 - 16 is -8, of 32 bits.
    const sr = "80c80006000000220000000180000000" + "fffffff8000000030000012c";
    expect(translate(SR + SDES + BYE)).toBe(`${sr}81ca000200000022${"01016100"}81cb000100000022`);
  });

  test("has no BYE where another source may go on", () => {
    expect(translate(SDES + BYE, { passesBye: false })).toBe(`81ca000200000022${"01016100"}`);
  });

  test("is left alone where it is about another stream", () => {
    expect(translate(SR, { ssrcIn: 0x99 })).toBe(SR);
  });
});

test("whatever the bytes, the walk over a compound ends and stays inside", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (random, isRtcpLike) => {
      const bytes = Uint8Array.from(random);
      if (isRtcpLike && bytes.length >= 4) bytes.set([0x81, 202, 0, bytes.length / 4 - 1], 0);
      const cursor = new RtcpCursor();
      if (!cursor.reset(bytes, 0, bytes.length)) return;
      let total = 0;
      while (cursor.next()) {
        expect(cursor.start).toBe(total);
        total += cursor.length;
      }
      expect(total).toBe(bytes.length);
      cursor.reset(bytes, 0, bytes.length);
      const out = new Uint8Array(bytes.length + 8);
      expect(translateSenderRtcp(cursor, bytes, MAPPING, out)).toBeLessThanOrEqual(bytes.length);
      expect([...out.subarray(bytes.length)]).toEqual(new Array(8).fill(0));
    }),
  );
});

describe("reception", () => {
  test("counts loss as RFC 3550 A.3 does, across a wrap", () => {
    const reception = new Reception();
    for (const seq of [65_534, 65_535, 1, 2]) reception.onPacket(5, seq, 0, 0, 0);
    const block = emptyBlock();
    reception.report(0, block);
    expect(block).toMatchObject({
      cumulativeLost: 1,
      fractionLost: Math.floor(256 / 5),
      highestSequence: 65_538,
    });
    reception.onPacket(5, 3, 0, 0, 0);
    reception.report(0, block);
    expect(block).toMatchObject({ cumulativeLost: 1, fractionLost: 0 });
  });

  test("measures jitter as RFC 3550 A.8 does, and none for an even stream", () => {
    const even = new Reception();
    const uneven = new Reception();
    for (let i = 0; i < 400; i++) {
      const timestamp = (0xffff_ff00 + i * 1800) >>> 0;
      even.onPacket(1, i, timestamp, 1_700_000_000_000 + i * 20, 90_000);
      uneven.onPacket(1, i, timestamp, 1_700_000_000_000 + i * 20 + (i % 2) * 10, 90_000);
    }
    const block = emptyBlock();
    even.report(0, block);
    expect(block.jitter).toBe(0);
    uneven.report(0, block);
    // Each difference is 10 ms, 900 ticks.
    expect(block.jitter).toBeGreaterThan(890);
    expect(block.jitter).toBeLessThanOrEqual(900);
  });

  test("says how long ago the last sender report came", () => {
    const reception = new Reception();
    reception.onPacket(1, 1, 0, 0, 0);
    reception.onSenderReport(0xabcd, 1_000);
    const block = emptyBlock();
    reception.report(1_500, block);
    expect(block).toMatchObject({ lsr: 0xabcd, dlsr: 32_768 });
  });
});

test("reports of many receivers become the worst of each figure, and the latest round trip", () => {
  const reports = new ReceiverReports();
  const one = { fractionLost: 10, cumulativeLost: -5, highestSequence: 70_000, jitter: 3, lsr: 1, dlsr: 10 };
  reports.add(one, 0);
  reports.add(
    { ...one, fractionLost: 2, cumulativeLost: 8, highestSequence: 69_000, jitter: 9, lsr: 2 },
    1_000,
  );
  expect(reports.fresh).toBe(2);
  const block = emptyBlock();
  reports.take(2_000, block);
  expect(block).toEqual({
    fractionLost: 10,
    cumulativeLost: 8,
    highestSequence: 70_000,
    jitter: 9,
    lsr: 2,
    dlsr: 10 + 65_536,
  });
  expect(reports.fresh).toBe(0);
});

describe("feedback", () => {
  test("asks for a picture at once, and once more for all who ask within the window", () => {
    const feedback = new FeedbackWindow();
    expect(feedback.takePicture(0)).toBe(false);
    feedback.wantPicture();
    expect(feedback.takePicture(0)).toBe(true);
    feedback.wantPicture();
    feedback.wantPicture();
    expect(feedback.takePicture(100)).toBe(false);
    expect(feedback.dueMs).toBe(500);
    expect(feedback.takePicture(500)).toBe(true);
    expect(feedback.takePicture(2_000)).toBe(false);
  });

  test("asks for a lost packet once, and again when no answer can be on its way", () => {
    const feedback = new FeedbackWindow();
    expect([feedback.takeNack(7, 0), feedback.takeNack(7, 10), feedback.takeNack(8, 10)]).toEqual([
      true,
      false,
      true,
    ]);
    expect(feedback.takeNack(7, 60)).toBe(true);
  });
});

test("a report is a well-formed compound of a receiver report and a name", () => {
  const writer = new RtcpWriter(0xdecafbad, "name");
  writer.begin(0x11, { ...emptyBlock(), fractionLost: 255, cumulativeLost: -1 });
  const hex = Buffer.from(writer.bytes.subarray(0, writer.length)).toString("hex");
  expect(hex).toBe(
    `81c90007decafbad00000011ffffffff${"00000000".repeat(4)}81ca0003decafbad0104${Buffer.from("name").toString("hex")}0000`,
  );
  writer.begin(0, undefined);
  writer.addPli(0x11);
  const nack = writer.beginNack(0x11);
  expect(writer.addLost(nack, 5, 3)).toBe(true);
  const cursor = new RtcpCursor();
  expect(cursor.reset(writer.bytes, 0, writer.length)).toBe(true);
});

test("reports come every five seconds on average, spread, and the first sooner", () => {
  expect(rtcpIntervalMs(0.5, false)).toBeCloseTo(5_000 / (Math.E - 1.5));
  expect(rtcpIntervalMs(0, true) * 2).toBeCloseTo(rtcpIntervalMs(0, false));
  expect(rtcpIntervalMs(1, false) / rtcpIntervalMs(0, false)).toBeCloseTo(3);
});
