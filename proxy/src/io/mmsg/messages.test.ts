// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { DESCRIPTOR_WORDS, Word } from "../../datapath/batch.ts";
import { Ring } from "../../datapath/ring.ts";
import { writeSockaddr } from "../../datapath/sockaddr.ts";
import { addressOf, close } from "./libc.ts";
import { MessageReceiver } from "./message-receiver.ts";
import { MessageSender } from "./message-sender.ts";
import { Area } from "./native-layout.ts";
import { localAddress, openBoundSocket, openConnectedSocket, setGro } from "./sockets.ts";

const LOOPBACK = { address: "127.0.0.1", port: 0 };
const names = new Uint8Array(new WebAssembly.Memory({ initial: 1, maximum: 1 }).buffer);

const receiving = openBoundSocket(LOOPBACK, false);
const nameLength = writeSockaddr(names, 0, localAddress(receiving));
const sending = openConnectedSocket(2, addressOf(names), nameLength, false);
const ring = new Ring(Area.bytes);
const receiver = new MessageReceiver(ring);
const outgoing = new Ring(Area.bytes);
const sender = new MessageSender(outgoing);

afterAll(() => {
  close(receiving);
  close(sending);
});

beforeEach(() => {
  ring.clear();
  Object.assign(sender.sent, { datagrams: 0, bytes: 0, errors: 0, overflows: 0 });
});

/** Sends datagrams of these lengths, byte i of them all being i, and returns how many messages that took. */
function sendAll(lengths: readonly number[], { maySegment = true, gap = 0 } = {}): number {
  let offset = outgoing.payload(0);
  let messages = 0;
  for (const [i, length] of lengths.entries()) {
    outgoing.bytes.fill(i, offset, offset + length);
    if (!sender.joinRun(offset, length, length, 1)) {
      if (sender.isFull) sender.flush(sending);
      sender.addRun(offset, length, length, 1, 0, 0, maySegment);
      messages++;
    }
    offset += length + gap;
  }
  sender.flush(sending);
  return messages;
}

/** Every datagram that waits, as its length and the byte it is filled with. */
function receiveAll(): readonly (readonly [length: number, value: number | undefined])[] {
  const found: [number, number | undefined][] = [];
  while (receiver.receive(receiving, 0) > 0) {
    for (let slot = 0; slot < ring.slots; slot++) ring.describe(slot, 0);
    for (let i = 0; i < ring.count; i++) {
      const at = (ring.descriptors >> 2) + i * DESCRIPTOR_WORDS;
      const data = ring.words[at + Word.data]!;
      const length = ring.words[at + Word.length]! & 0xffff;
      const bytes = ring.bytes.subarray(data, data + length);
      expect(new Set(bytes).size).toBeLessThanOrEqual(1);
      found.push([length, bytes[0]]);
    }
    ring.clear();
  }
  return found;
}

function expected(lengths: readonly number[]): readonly (readonly [number, number | undefined])[] {
  return lengths.map((length, i) => [length, length === 0 ? undefined : i]);
}

describe.each([true, false])("with UDP_GRO %s", (isGro) => {
  beforeEach(() => setGro(receiving, isGro));

  test.each([
    ["equal datagrams leave as one message", [100, 100, 100], {}, 1],
    ["the last one of a message may be shorter", [100, 100, 40], {}, 1],
    ["a longer one starts a message", [100, 40, 100], {}, 2],
    ["an empty one stands alone", [100, 0, 100], {}, 3],
    ["pieces that do not touch join, too", [100, 100, 100], { gap: 64 }, 1],
    ["a path that refuses segmentation gets them one by one", [100, 100, 100], { maySegment: false }, 3],
    ["no message has more than 64", new Array<number>(130).fill(10), {}, 3],
    ["nor more bytes than a datagram may have", new Array<number>(7).fill(9000), { gap: 0 }, 1],
    ["so that the eighth of these is another", new Array<number>(8).fill(8200), { gap: 0 }, 2],
  ] as const)("%s, and arrives as sent", (_what, lengths, options, messages) => {
    expect(sendAll(lengths, options)).toBe(messages);
    expect(receiveAll()).toEqual(expected(lengths));
    expect(sender.sent).toMatchObject({ datagrams: lengths.length, errors: 0, overflows: 0 });
  });

  test("boundaries survive whatever the lengths are", () => {
    const lengths = fc.array(fc.oneof(fc.constant(172), fc.constant(1316), fc.nat(1400)), { maxLength: 40 });
    fc.assert(
      fc.property(lengths, fc.constantFrom(0, 16), (sizes, gap) => {
        if (sizes.length > 0) sendAll(sizes, { gap });
        expect(receiveAll()).toEqual(expected(sizes));
      }),
      { numRuns: 200 },
    );
  });
});

/** Runs of `count` datagrams of `size` bytes, the last of each cut to `last`: all of them filled with one running number. */
interface Run {
  readonly count: number;
  readonly size: number;
  readonly last: number;
}

function sendRuns(runs: readonly Run[]): readonly number[] {
  const lengths: number[] = [];
  let offset = outgoing.payload(0);
  for (const { count, size, last } of runs) {
    const start = offset;
    for (let i = 0; i < count; i++) {
      const length = i === count - 1 ? last : size;
      outgoing.bytes.fill(lengths.length, offset, offset + length);
      lengths.push(length);
      offset += length;
    }
    if (sender.joinRun(start, offset - start, count === 1 ? last : size, count)) continue;
    if (sender.isFull) sender.flush(sending);
    sender.addRun(start, offset - start, count === 1 ? last : size, count, 0, 0, true);
  }
  sender.flush(sending);
  return lengths;
}

test("runs that came together leave together, datagram by datagram as they were", () => {
  const run = fc
    .record({ count: fc.integer({ min: 1, max: 12 }), size: fc.constantFrom(100, 172, 300), cut: fc.nat(2) })
    .map(({ count, size, cut }) => ({ count, size, last: cut === 0 ? size - 60 : size }));
  fc.assert(
    fc.property(fc.array(run, { minLength: 1, maxLength: 12 }), (runs) => {
      const lengths = sendRuns(runs);
      expect(receiveAll()).toEqual(expected(lengths).map(([length, value]) => [length, value! & 0xff]));
    }),
    { numRuns: 200 },
  );
});

test("a datagram carries the kernel's receive time", () => {
  const before = BigInt(Date.now()) * 1_000_000n;
  sendAll([10]);
  expect(receiver.receive(receiving, 0)).toBe(1);
  ring.describe(0, 0);
  const at = ring.descriptors >> 2;
  const time = (BigInt(ring.words[at + Word.rxHigh]!) << 32n) | BigInt(ring.words[at + Word.rxLow]!);
  expect(time).toBeGreaterThan(before - 2_000_000n);
  expect(time).toBeLessThan(BigInt(Date.now() + 2) * 1_000_000n);
});

test("a peer that is gone is noticed once, and the datagram is sent all the same", () => {
  const closed = openBoundSocket(LOOPBACK, false);
  const length = writeSockaddr(names, 64, localAddress(closed));
  const orphan = openConnectedSocket(2, addressOf(names) + 64, length, false);
  close(closed);
  const sendOne = (): boolean => {
    sender.addRun(outgoing.payload(0), 10, 10, 1, 0, 0, true);
    sender.flush(orphan);
    return sender.isPeerGone;
  };

  expect([sendOne(), sendOne()]).toEqual([false, true]);
  expect(sender.sent).toMatchObject({ datagrams: 2, errors: 0 });
  close(orphan);
});
