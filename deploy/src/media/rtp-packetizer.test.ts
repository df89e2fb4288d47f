// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { expect, test } from "vitest";
import { parseRtp } from "./rtp-header.ts";
import { MAX_DATAGRAM_BYTES, RtpPacketizer } from "./rtp-packetizer.ts";

const start = { ssrc: 0xdecafbad, sequenceNumber: 65_534, payloadType: 96 };

test("numbers datagrams across the wrap and gives a frame one timestamp and one marker", () => {
  const packetizer = new RtpPacketizer(start);
  const nal = Buffer.alloc(3_000, 0x55);
  nal[0] = 0x65;
  const packets = packetizer.h264Frame([Buffer.from([0x67, 1]), nal], 2 ** 32 + 7).map((d) => parseRtp(d)!);
  expect(packets.map((packet) => packet.sequenceNumber)).toEqual([65_534, 65_535, 0, 1]);
  expect(packets.map((packet) => packet.marker)).toEqual([false, false, false, true]);
  for (const packet of packets)
    expect(packet).toMatchObject({ timestamp: 7, ssrc: start.ssrc, payloadType: 96 });
});

test("splits NAL units into FU-A fragments that join to the same bytes, none longer than the limit", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9_000 }), fc.integer({ min: 0, max: 0x7f }), (size, header) => {
      const nal = Buffer.from(Array.from({ length: size }, (_, i) => (i * 31) & 0xff));
      nal[0] = header;
      const datagrams = new RtpPacketizer(start).h264Frame([nal], 0);
      for (const datagram of datagrams) expect(datagram.length).toBeLessThanOrEqual(MAX_DATAGRAM_BYTES);
      expect(reassemble(datagrams.map((datagram) => parseRtp(datagram)!.payload))).toEqual(nal);
    }),
  );
});

/** RFC 6184 section 5.8, from the receiver's side. */
function reassemble(payloads: readonly Buffer[]): Buffer {
  if (payloads.length === 1) return payloads[0]!;
  payloads.forEach((payload, index) => {
    expect(payload[0]! & 0x1f).toBe(28);
    expect(payload[1]! >> 6).toBe(index === 0 ? 2 : index === payloads.length - 1 ? 1 : 0);
  });
  const [first] = payloads;
  const header = (first![0]! & 0xe0) | (first![1]! & 0x1f);
  return Buffer.concat([Buffer.from([header]), ...payloads.map((payload) => payload.subarray(2))]);
}
