// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import { createInterleavedRing, InterleavedRing, OWN_HEADER_BYTES } from "./interleaved-ring.ts";

const RING_BYTES = 1024;

function ends(bytes = RING_BYTES) {
  const memory = createInterleavedRing(bytes);
  return { memory, writer: new InterleavedRing(memory), reader: new InterleavedRing(memory) };
}

function packetAt({ bytes, connection, channel, start, length, header }: InterleavedRing) {
  const data = [...bytes.subarray(start, start + length)];
  if (header >= 0) data.splice(0, OWN_HEADER_BYTES, ...bytes.subarray(header, header + OWN_HEADER_BYTES));
  return { connection, channel, data };
}

/** Writes packets once for connections, of which every second gets headers of its own and not the first packet. */
function share(writer: InterleavedRing, { connections, channel, packets }: Shared) {
  const found: object[] = [];
  const fitting = packets.filter((data, place) => {
    const at = writer.share(place, data.length);
    if (at >= 0) writer.bytes.set(data, at);
    return at >= 0;
  });
  if (fitting.length < packets.length) return { found, isWhole: false };
  for (const connection of connections) {
    if (connection % 2 === 0) {
      if (writer.copyAll(connection, channel, packets.length))
        found.push(...packets.map((data) => ({ connection, channel, data })));
      continue;
    }
    const own = new Uint8Array(OWN_HEADER_BYTES).fill(connection);
    const copies = writer.reserveCopies(connection, channel, packets.length - 1);
    for (let i = 1; i < packets.length && copies >= 0; i++) {
      writer.setCopy(copies, i - 1, i, own, 0);
      found.push({ connection, channel, data: [...own, ...packets[i]!.slice(OWN_HEADER_BYTES)] });
    }
  }
  return { found, isWhole: true };
}

interface Shared {
  readonly connections: readonly number[];
  readonly channel: number;
  readonly packets: readonly (readonly number[])[];
}

function readAll(reader: InterleavedRing) {
  const found = [];
  while (reader.next()) found.push(packetAt(reader));
  return found;
}

const packet = fc.record({
  connection: fc.integer({ min: 0, max: 0xffff_ffff }),
  channel: fc.integer({ min: 0, max: 255 }),
  data: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 300 }),
});
const step = fc.oneof(
  { weight: 4, arbitrary: packet.map((value) => ({ type: "write" as const, value })) },
  { weight: 2, arbitrary: fc.constant({ type: "publish" as const }) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 8 }).map((count) => ({ type: "read" as const, count })) },
  { weight: 1, arbitrary: fc.constant({ type: "replace" as const }) },
);

test("whatever is written and published is read once, whole and in order, also by successors of either end", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { memory, ...first } = ends();
      let { writer, reader } = first;
      const unpublished: object[] = [];
      const waiting: object[] = [];
      let dropped = 0;
      let isAsleep = true;
      const publish = (): void => {
        const mustRing = writer.publish();
        expect(mustRing).toBe(isAsleep && unpublished.length > 0);
        if (mustRing) isAsleep = false;
        waiting.push(...unpublished.splice(0));
      };
      for (const next of steps) {
        if (next.type === "write") {
          const { connection, channel, data } = next.value;
          if (writer.write(connection, channel, Uint8Array.from(data))) unpublished.push(next.value);
          else dropped++;
        } else if (next.type === "publish") publish();
        else if (next.type === "read") {
          for (let i = 0; i < next.count; i++) {
            const expected = waiting.shift();
            expect(reader.next()).toBe(expected !== undefined);
            isAsleep = expected === undefined;
            if (expected === undefined) break;
            expect(packetAt(reader)).toEqual(expected);
          }
        } else {
          // A writer that dies takes along what it had not published; a reader has read all that it looked at.
          publish();
          isAsleep = !reader.next();
          writer = new InterleavedRing(memory);
          reader = new InterleavedRing(memory);
        }
      }
      publish();
      expect(readAll(reader)).toEqual(waiting);
      expect(reader.dropped).toBe(dropped);
    }),
  );
});

test("a packet that does not fit is dropped whole and counted, and the ring goes on when there is room", () => {
  const { writer, reader } = ends();
  const large = new Uint8Array(600);
  expect(writer.write(1, 0, large)).toBe(true);
  expect(writer.write(1, 0, large)).toBe(false);
  writer.publish();
  expect(readAll(reader)).toHaveLength(1);
  expect(writer.write(1, 0, large)).toBe(true);
  expect(writer.dropped).toBe(1);
});

test("a packet larger than a frame can carry is dropped", () => {
  const { writer } = ends(1 << 18);
  expect(writer.write(1, 0, new Uint8Array(65_536))).toBe(false);
  expect(writer.write(1, 0, new Uint8Array(65_535))).toBe(true);
});

test("goes on where its positions pass 32 bits", () => {
  const { memory } = ends();
  const words = new Int32Array(memory);
  words[0] = words[16] = -64;
  const writer = new InterleavedRing(memory);
  const reader = new InterleavedRing(memory);
  for (let i = 0; i < 100; i++) {
    expect(writer.write(i, 1, Uint8Array.of(i))).toBe(true);
    writer.publish();
    expect(readAll(reader)).toEqual([{ connection: i, channel: 1, data: [i] }]);
  }
});

const shared = fc.record({
  connections: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 6 }),
  channel: fc.nat(255),
  packets: fc.array(fc.array(fc.nat(255), { minLength: OWN_HEADER_BYTES, maxLength: 60 }), {
    minLength: 1,
    maxLength: 4,
  }),
});

test("what is shared is found once by each connection, with its own headers, among packets for one", () => {
  const turns = fc.array(fc.array(fc.oneof(shared, packet), { maxLength: 4 }), { maxLength: 40 });
  fc.assert(
    fc.property(turns, (all) => {
      const { writer, reader } = ends();
      for (const turn of all) {
        const expected: object[] = [];
        for (const next of turn) {
          if ("packets" in next) {
            const { found, isWhole } = share(writer, next);
            expected.push(...found);
            // Nothing of a turn is given back before it was published.
            if (!isWhole) break;
          } else if (writer.write(next.connection, next.channel, Uint8Array.from(next.data)))
            expected.push(next);
        }
        writer.publish();
        expect(readAll(reader)).toEqual(expected);
      }
    }),
  );
});

test("a successor of the reader finds what was shared again, as long as not all of its connections had it", () => {
  const { memory, writer, reader } = ends();
  const first = share(writer, { connections: [2, 4], channel: 0, packets: [[1], [2]] }).found;
  const second = share(writer, { connections: [6, 8], channel: 0, packets: [[3], [4]] }).found;
  writer.publish();
  for (let i = 0; i < first.length + 1; i++) expect(reader.next()).toBe(true);
  expect(packetAt(reader)).toEqual(second[0]);
  expect(readAll(new InterleavedRing(memory))).toEqual(second);
});

test("hundreds of connections cost little more room than one", () => {
  const { writer, reader } = ends(1 << 14);
  const packets = Array.from({ length: 4 }, (_, i) => new Array<number>(1_400).fill(i));
  const connections = Array.from({ length: 200 }, (_, i) => i);
  const { found } = share(writer, { connections, channel: 0, packets });
  expect(writer.dropped).toBe(0);
  writer.publish();
  expect(readAll(reader)).toEqual(found);
});

test("a connection that finds no room loses all of a batch, and each packet counts", () => {
  const { writer, reader } = ends();
  const connections = Array.from({ length: 200 }, (_, i) => 2 * i);
  const { found } = share(writer, { connections, channel: 0, packets: [[1], [2], [3]] });
  expect(found.length).toBeLessThan(600);
  expect(writer.dropped).toBe(600 - found.length);
  writer.publish();
  expect(readAll(reader)).toEqual(found);
  expect(share(writer, { connections: [2], channel: 0, packets: [[1]] }).found).toHaveLength(1);
});
