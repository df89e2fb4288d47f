// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { BitWriter } from "./bit-writer.ts";

test("writes the Exp-Golomb codes of H.264 table 9-2", () => {
  const writer = new BitWriter();
  for (const value of [0, 1, 2, 3, 4]) writer.ue(value);
  // 1 010 011 00100 00101, then the stop bit and seven zeros to the byte's end.
  expect(writer.finish()).toEqual(Buffer.from([0b10100110, 0b01000010, 0b11000000]));
});

test("maps signed values to codes in the order 0, 1, -1, 2, -2", () => {
  const signed = new BitWriter();
  for (const value of [0, 1, -1, 2, -2]) signed.se(value);
  const unsigned = new BitWriter();
  for (const value of [0, 1, 2, 3, 4]) unsigned.ue(value);
  expect(signed.finish()).toEqual(unsigned.finish());
});

test("copies whole bytes after filling up with zero bits, however many there are", () => {
  const body = Buffer.alloc(5_000, 0xab);
  const written = new BitWriter().bits(1, 1).align().bytes(body).finish();
  expect(written).toEqual(Buffer.concat([Buffer.from([0x80]), body, Buffer.from([0x80])]));
});

test("refuses whole bytes at an odd position", () => {
  expect(() => new BitWriter().bits(1, 3).bytes(Buffer.alloc(1))).toThrow(RangeError);
});
