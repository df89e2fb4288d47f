// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { createInterleavedRing, InterleavedRing } from "../interleaved-ring.ts";
import { RtpBatch } from "../rtp-batch.ts";
import { SharedBatch } from "./shared-batch.ts";

/** A batch of datagrams with 12 bytes of `h` and the text, in one memory. */
function batchOf(...texts: readonly string[]) {
  const bytes = new Uint8Array(65_536);
  const batch = new RtpBatch(texts.length);
  let at = 0;
  for (const text of texts) {
    bytes.set(Buffer.from(`hhhhhhhhhhhh${text}`), at);
    batch.add(bytes, at, 12 + text.length);
    at += 12 + text.length;
  }
  return { batch, from: { bytes, words: new Uint32Array(bytes.buffer) } };
}

function start(ringBytes: number, ...texts: readonly string[]) {
  const memory = createInterleavedRing(ringBytes);
  const writer = new InterleavedRing(memory);
  const shared = new SharedBatch(writer);
  const { batch, from } = batchOf(...texts);
  shared.begin(batch, from);
  return { memory, writer, shared };
}

function readAll(memory: SharedArrayBuffer) {
  const ring = new InterleavedRing(memory);
  const found: string[] = [];
  while (ring.next()) {
    const { bytes, connection, start, length, header } = ring;
    const own = Buffer.from(bytes.slice(header, header + 12)).toString();
    const text = Buffer.from(bytes.slice(start, start + length)).toString();
    found.push(`${connection} ${header < 0 ? text : own + text.slice(12)}`);
  }
  return found;
}

test("each connection gets the datagrams it is to have, with its headers or as they are", () => {
  const { memory, writer, shared } = start(4096, "one", "two");
  shared.addPlain(1, 0);
  expect([shared.sent, shared.sentBytes]).toEqual([2, 30]);
  shared.addRewritten(2, 0, Buffer.from("HHHHHHHHHHHH"), Uint32Array.of(1), 1);
  expect([shared.sent, shared.sentBytes]).toEqual([1, 15]);
  shared.addRewritten(3, 0, Buffer.from(""), Uint32Array.of(), 0);
  expect([shared.sent, shared.sentBytes]).toEqual([0, 0]);
  writer.publish();
  expect(readAll(memory)).toEqual(["1 hhhhhhhhhhhhone", "1 hhhhhhhhhhhhtwo", "2 HHHHHHHHHHHHtwo"]);
  expect(writer.dropped).toBe(0);
});

test("a datagram that does not fit is dropped for every connection and counted for each", () => {
  const { memory, writer, shared } = start(512, "one", "x".repeat(600), "two");
  const headers = Buffer.from("AAAAAAAAAAAABBBBBBBBBBBBCCCCCCCCCCCC");
  shared.addRewritten(1, 0, headers, Uint32Array.of(0, 1, 2), 3);
  expect([shared.sent, shared.sentBytes]).toEqual([2, 30]);
  shared.addPlain(2, 0);
  expect([shared.sent, shared.sentBytes]).toEqual([2, 30]);
  expect(writer.dropped).toBe(2);
  writer.publish();
  expect(readAll(memory)).toEqual([
    "1 AAAAAAAAAAAAone",
    "1 CCCCCCCCCCCCtwo",
    "2 hhhhhhhhhhhhone",
    "2 hhhhhhhhhhhhtwo",
  ]);
});

test("where nothing fits nothing is sent, and every datagram counts", () => {
  const { memory, writer, shared } = start(64, "x".repeat(100), "y".repeat(100));
  shared.addPlain(1, 0);
  shared.addRewritten(2, 0, Buffer.alloc(24), Uint32Array.of(0, 1), 2);
  expect([shared.sent, shared.sentBytes, writer.dropped]).toEqual([0, 0, 4]);
  writer.publish();
  expect(readAll(memory)).toEqual([]);
});
