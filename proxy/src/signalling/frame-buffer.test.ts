// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import { FrameBuffer } from "./frame-buffer.ts";

function frameOf(channel: number, payload: Uint8Array): Buffer {
  const head = Buffer.from([0x24, channel, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([head, payload]);
}

test("frames come out whole and in order, however they were gathered and wherever memory is used again", () => {
  const packet = fc.record({
    channel: fc.nat(255),
    length: fc.oneof(fc.nat(1_500), fc.constantFrom(0, 65_535, 60_000)),
    isTaken: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 12 }), (packets) => {
      const buffer = new FrameBuffer();
      const taken: Buffer[] = [];
      const expected: Buffer[] = [];
      packets.forEach(({ channel, length, isTaken }, i) => {
        const payload = new Uint8Array(length + 2).fill(i + 1);
        buffer.add(channel, payload, 1, length + 1);
        expected.push(frameOf(channel, payload.subarray(1, length + 1)));
        // Only what nobody holds is written over.
        if (isTaken) taken.push(Buffer.from(buffer.take()));
        if (isTaken && i % 2 === 0) buffer.reuse();
      });
      taken.push(buffer.take());
      expect(buffer.length).toBe(0);
      expect(Buffer.concat(taken).equals(Buffer.concat(expected))).toBe(true);
    }),
    { numRuns: 100 },
  );
});

test("what was taken stays as it was, unless its memory may be used again", () => {
  const buffer = new FrameBuffer();
  buffer.add(1, Buffer.from("one"), 0, 3);
  const first = buffer.take();
  buffer.add(2, Buffer.from("two"), 0, 3);
  expect(first.toString("latin1")).toBe("$\x01\x00\x03one");
  // Something is gathered that was not taken yet.
  buffer.reuse();
  expect(buffer.take().toString("latin1")).toBe("$\x02\x00\x03two");
});

test("a header of its own takes the place of the packet's first bytes", () => {
  const buffer = new FrameBuffer();
  buffer.add(1, Buffer.from("abcdefghijkl payload ABCDEFGHIJKL"), 0, 20, 21);
  expect(buffer.take().toString("latin1")).toBe("$\x01\x00\x14ABCDEFGHIJKL payload");
});
