// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { Consume, Drop, FilterHarness } from "@msm/filter-sdk/testing";
import fc from "fast-check";
import { expect, test } from "vitest";

const options = { payloadBytes: 9_100 };

/** The proxies at both ends of the wire. */
async function pair(): Promise<{ near: FilterHarness; far: FilterHarness }> {
  const near = await FilterHarness.load("compress", { towards: "endpoint" }, options);
  const far = await FilterHarness.load("compress", { towards: "client" }, options);
  return { near, far };
}

const wireOf = (filter: FilterHarness, payload: Uint8Array): Uint8Array =>
  filter.run([payload]).sent[0]!.payload;

/** Game state: the same structure again and again. */
const state = Buffer.from(
  Array.from({ length: 40 }, (_, i) => `{"id":${i},"x":${i * 3},"y":0,"state":"idle"}`).join(","),
);

test("what repeats gets shorter on the wire and comes out as it was, in both directions", async () => {
  const { near, far } = await pair();
  const wire = wireOf(near, state);
  expect(wire.length).toBeLessThan(state.length / 2);
  expect(Buffer.from(wireOf(far, wire))).toEqual(state);
  const back = far.run([state], { from: "endpoint" }).sent[0]!;
  expect(back.toClient).toBe(true);
  expect(Buffer.from(near.run([back.payload], { from: "endpoint" }).sent[0]!.payload)).toEqual(state);
  expect(near.metric('compress_bytes_total{direction="out",side="plain"}')).toBe(state.length);
  expect(near.metric('compress_bytes_total{direction="out",side="wire"}')).toBe(wire.length);
});

test("what does not repeat costs one byte", async () => {
  const { near, far } = await pair();
  const random = createHash("sha512").update("no repetition").digest();
  for (const length of [0, 1, 5, 12, 13, 64]) {
    const payload = new Uint8Array(random.subarray(0, length));
    const wire = wireOf(near, payload);
    expect(wire.length).toBe(length + 1);
    expect(wireOf(far, wire)).toEqual(payload);
  }
});

test("datagrams keep their order", async () => {
  const { near } = await pair();
  const { actions, sent } = near.run([1, 2, 3].map((first) => Uint8Array.of(first)));
  expect(actions).toEqual([Consume, Consume, Consume]);
  expect(sent.map(({ payload }) => payload[1])).toEqual([1, 2, 3]);
});

test("whatever is sent comes out as it was", async () => {
  const { near, far } = await pair();
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.nat(60)).map(([bytes, times]) => {
      return Uint8Array.from({ length: bytes.length * times }, (_, i) => bytes[i % bytes.length]!);
    }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const payload = Buffer.concat(pieces).subarray(0, 9_000);
      const wire = wireOf(near, payload);
      expect(wire.length).toBeLessThanOrEqual(payload.length + 1);
      expect(Buffer.from(wireOf(far, wire))).toEqual(payload);
    }),
    { numRuns: 300 },
  );
});

test("whatever comes from the wire, it is expanded or dropped, and the filter lives", async () => {
  const { near, far } = await pair();
  const wire = wireOf(near, state);
  fc.assert(
    fc.property(fc.nat(wire.length - 1), fc.nat(255), fc.uint8Array({ maxLength: 60 }), (at, value, tail) => {
      const damaged = wire.slice();
      damaged[at] = value;
      const garbage = Uint8Array.from([1, 0, 60, ...tail]);
      far.run([damaged, garbage, wire.subarray(0, at), tail]);
      expect(far.isFailed).toBe(false);
    }),
    { numRuns: 500 },
  );
});

test("what is too long, or cannot be expanded, is dropped and counted", async () => {
  const { near, far } = await pair();
  expect(near.run([new Uint8Array(9_001)]).actions).toEqual([Drop]);
  expect(near.metric('msm_filter_dropped_total{reason="too_long"}')).toBe(1);
  expect(far.run([Uint8Array.of(9), Uint8Array.of(1, 0)]).actions).toEqual([Drop, Drop]);
  expect(far.metric('msm_filter_dropped_total{reason="damaged"}')).toBe(2);
});

test.each([
  [{ towards: "nowhere" }, "towards must be"],
  [{ level: 9 }, "unknown field level"],
])("the configuration %o is refused, and it is said why", async (config, problem) => {
  await expect(FilterHarness.load("compress", config)).rejects.toThrow(problem);
});
