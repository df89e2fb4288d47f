// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { expect, test } from "vitest";
import { parseRtp } from "./rtp-header.ts";

test("finds the payload behind contributing sources and an extension, without the padding", () => {
  const datagram = Buffer.from(
    "b1e0" + "0001" + "00000002" + "00000003" + "0000000a" + "bede0001" + "11223344" + "cafe" + "000003",
    "hex",
  );
  expect(parseRtp(datagram)).toEqual({
    payloadType: 96,
    marker: true,
    sequenceNumber: 1,
    timestamp: 2,
    ssrc: 3,
    payload: Buffer.from("cafe", "hex"),
  });
});

test("takes RTCP, other versions and lengths that do not fit for no RTP", () => {
  const header = Buffer.alloc(12);
  for (const [first, second] of [
    [0x80, 200],
    [0x40, 96],
    [0x8f, 96],
    [0x90, 96],
  ] as const) {
    header[0] = first;
    header[1] = second;
    expect(parseRtp(header)).toBeUndefined();
  }
});

test("never throws and never reads outside of the datagram", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const packet = parseRtp(Buffer.from(bytes));
      if (packet) expect(packet.payload.length).toBeLessThanOrEqual(bytes.length - 12);
    }),
  );
});
