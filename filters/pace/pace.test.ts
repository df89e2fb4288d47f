// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Consume, Continue, checkContract, Drop, FilterHarness } from "@msm/filter-sdk/testing";
import fc from "fast-check";
import { expect, test } from "vitest";

/** Datagrams that take a millisecond each at 8 Mbit/s, told apart by their first byte. */
const numbered = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => new Uint8Array(1_000).fill(i));

const EIGHT_MEGABITS = { bitsPerSecond: 8_000_000 };

test("without a rate everything leaves at once", async () => {
  const filter = await FilterHarness.load("pace");
  expect(new Set(filter.run(numbered(64)).actions)).toEqual(new Set([Continue]));
});

test("a burst leaves one by one, in its order, as fast as the rate allows", async () => {
  const filter = await FilterHarness.load("pace", EIGHT_MEGABITS);
  expect(filter.run(numbered(5)).actions).toEqual([Continue, Consume, Consume, Consume, Consume]);
  for (const expected of [1, 2, 3, 4]) {
    expect(filter.tick(0.9)).toEqual([]);
    expect(filter.tick(0.1).map(({ payload }) => payload[0])).toEqual([expected]);
  }
});

test("sessions and directions do not wait for each other", async () => {
  const filter = await FilterHarness.load("pace", EIGHT_MEGABITS);
  const runs = [
    filter.run(numbered(2), { session: 1 }),
    filter.run(numbered(1), { session: 2 }),
    filter.run(numbered(1), { session: 1, from: "endpoint" }),
  ];
  expect(runs.map(({ actions }) => actions)).toEqual([[Continue, Consume], [Continue], [Continue]]);
});

test("a silence gives a burst, and what would wait for too long is dropped", async () => {
  const filter = await FilterHarness.load("pace", { ...EIGHT_MEGABITS, burstMs: 2, maxDelayMs: 2 });
  const { actions } = filter.run(numbered(7));
  expect(actions).toEqual([Continue, Continue, Continue, Consume, Consume, Drop, Drop]);
  expect(filter.metric('msm_filter_dropped_total{reason="too_late"}')).toBe(2);
});

test("at EGRESS each receiver has a pace of its own", async () => {
  const filter = await FilterHarness.load("pace", { ...EIGHT_MEGABITS, perReceiver: true });
  expect(filter.stages).toEqual(["EGRESS"]);
  const { actions } = filter.run(numbered(4), { session: [1, 2] });
  expect(actions).toEqual([Continue, Continue, Consume, Consume]);
  expect(filter.tick(1).map(({ session }) => session)).toEqual([1, 2]);
});

test("keeps the contract of all filters for receivers, too", async () => {
  const results = await checkContract(import.meta.dirname, { ...EIGHT_MEGABITS, perReceiver: true });
  expect(results.filter(({ problem }) => problem !== null)).toEqual([]);
  expect(results[0]!.title).toMatch(/^at EGRESS: /);
});

test.each([
  [{ bitsPerSecond: -1 }, "a whole number"],
  [{ maxDelayMs: 10_001 }, "a whole number"],
  [{ perSecond: 1 }, "unknown field perSecond"],
])("refuses %o and says why", async (config, problem) => {
  await expect(FilterHarness.load("pace", config)).rejects.toThrow(problem);
});

test("whatever comes when, no more leaves than the rate allows, and all that is not dropped does", async () => {
  const filter = await FilterHarness.load("pace", EIGHT_MEGABITS);
  const turns = fc.array(fc.tuple(fc.nat(20), fc.integer({ min: 0, max: 12 })), {
    minLength: 1,
    maxLength: 20,
  });
  let session = 0;
  fc.assert(
    fc.property(turns, (steps) => {
      session = (session + 1) % 100;
      filter.closeSession(session);
      let sent = 0;
      let elapsedMs = 0;
      let came = 0;
      for (const [count, waitMs] of steps) {
        const { actions } = filter.run(numbered(count), { session });
        came += actions.filter((action) => action !== Drop).length;
        sent += actions.filter((action) => action === Continue).length + filter.tick(waitMs).length;
        elapsedMs += waitMs;
        expect(sent).toBeLessThanOrEqual(elapsedMs + 1);
      }
      expect(sent + filter.tick(2_000).length).toBe(came);
    }),
  );
});
