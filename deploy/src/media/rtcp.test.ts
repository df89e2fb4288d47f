// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { expect, test } from "vitest";
import { goodbye, ntpMiddle, ntpTime, parseRtcp, receiverReport, senderReport } from "./rtcp.ts";

const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const block = fc.record({
  ssrc: uint32,
  fractionLost: fc.integer({ min: 0, max: 255 }),
  cumulativeLost: fc.integer({ min: -(2 ** 23), max: 2 ** 23 - 1 }),
  highestSequence: uint32,
  jitter: uint32,
  lsr: uint32,
  dlsr: uint32,
});

test("writes a sender report as RFC 3550 section 6.4.1 draws it, with a padded CNAME behind", () => {
  const sender = { ntp: { seconds: 1, fraction: 2 }, rtpTimestamp: 3, packetCount: 4, octetCount: 5 };
  expect(senderReport(0xcafe, "ab", sender).toString("hex")).toBe(
    "80c80006" +
      "0000cafe" +
      "00000001" +
      "00000002" +
      "00000003" +
      "00000004" +
      "00000005" +
      "81ca0003" +
      "0000cafe" +
      "01026162" +
      "00000000",
  );
});

test("reads back every receiver report that it writes", () => {
  fc.assert(
    fc.property(
      uint32,
      fc.string({ maxLength: 80 }),
      fc.array(block, { maxLength: 31 }),
      (ssrc, cname, blocks) => {
        const datagram = receiverReport(ssrc, cname, blocks);
        expect(datagram.length % 4).toBe(0);
        expect(parseRtcp(datagram)).toEqual([{ type: "receiverReport", ssrc, blocks }]);
      },
    ),
  );
});

test("reads nothing from a datagram whose lengths do not fit, and never throws", () => {
  const whole = senderReport(1, "c", { ntp: ntpTime(0), rtpTimestamp: 0, packetCount: 0, octetCount: 0 });
  expect(parseRtcp(whole.subarray(0, 20))).toEqual([]);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void parseRtcp(Buffer.from(bytes))));
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
      const damaged = Buffer.from(whole);
      damaged[at] = value;
      parseRtcp(damaged);
    }),
  );
});

test("converts time to NTP's epoch and takes its middle", () => {
  expect(ntpTime(500)).toEqual({ seconds: 2_208_988_800, fraction: 2 ** 31 });
  expect(ntpMiddle({ seconds: 0x12345678, fraction: 0x9abcdef0 })).toBe(0x56789abc);
});

test("says goodbye behind an empty report, as a compound has to begin", () => {
  expect(parseRtcp(goodbye(7, "c"))).toEqual([
    { type: "receiverReport", ssrc: 7, blocks: [] },
    { type: "bye", ssrcs: [7] },
  ]);
});
