// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Continue, Drop, FilterHarness } from "@msm/filter-sdk/testing";
import fc from "fast-check";
import { expect, test } from "vitest";

const sized = (...sizes: number[]): Uint8Array[] => sizes.map((size) => new Uint8Array(size));
const passed = (actions: readonly number[]): number => actions.filter((action) => action === Continue).length;

test("without a limit everything passes", async () => {
  const filter = await FilterHarness.load("rate-limit");
  expect(passed(filter.run(sized(...new Array<number>(64).fill(1_400))).actions)).toBe(64);
});

test("passes a burst, then as many datagrams a second as it was told, and says why it drops", async () => {
  const filter = await FilterHarness.load("rate-limit", { datagramsPerSecond: 10 });
  const first = filter.run(sized(...new Array<number>(12).fill(100)));
  expect(passed(first.actions)).toBe(10);
  expect(first.actions.slice(10)).toEqual([Drop, Drop]);
  filter.tick(300);
  expect(passed(filter.run(sized(...new Array<number>(12).fill(100))).actions)).toBe(3);
  expect(filter.metric('msm_filter_dropped_total{reason="too_many_datagrams"}')).toBe(11);
});

test("counts bytes, and lets a small datagram by where a large one is too much", async () => {
  const filter = await FilterHarness.load("rate-limit", { bytesPerSecond: 100_000 });
  expect(filter.run(sized(2_000)).actions).toEqual([Continue]);
  const rest = filter.run(sized(...new Array<number>(60).fill(2_000)));
  expect(passed(rest.actions)).toBe(49);
  filter.tick(1);
  expect(filter.run(sized(101, 100, 1)).actions).toEqual([Drop, Continue, Drop]);
  expect(filter.metric('msm_filter_dropped_total{reason="too_many_bytes"}')).toBe(13);
});

test("sessions and directions have limits of their own, and a new session begins anew", async () => {
  const filter = await FilterHarness.load("rate-limit", { datagramsPerSecond: 1 });
  const runs = [
    filter.run(sized(1), { session: 1 }),
    filter.run(sized(1), { session: 1 }),
    filter.run(sized(1), { session: 1, from: "endpoint" }),
    filter.run(sized(1), { session: 300 }),
  ];
  expect(runs.map(({ actions }) => actions[0])).toEqual([Continue, Drop, Continue, Continue]);
  filter.closeSession(1);
  expect(filter.run(sized(1), { session: 1 }).actions).toEqual([Continue]);
});

test.each([
  [{ datagramsPerSecond: -1 }, "a whole number"],
  [{ datagramsPerSecond: 1.5 }, "a whole number"],
  [{ burstMs: 0 }, "burstMs must be"],
  [{ perSecond: 1 }, "unknown field perSecond"],
])("refuses %o and says why", async (config, problem) => {
  await expect(FilterHarness.load("rate-limit", config)).rejects.toThrow(problem);
});

test("whatever comes when, no more passes than the rate and one burst allow", async () => {
  const turns = fc.array(fc.tuple(fc.nat(40), fc.nat(300)), { minLength: 1, maxLength: 30 });
  const filter = await FilterHarness.load("rate-limit", { datagramsPerSecond: 50, burstMs: 200 });
  let session = 0;
  fc.assert(
    fc.property(turns, (steps) => {
      session = (session + 1) % 100;
      filter.closeSession(session);
      let elapsedMs = 0;
      let total = 0;
      for (const [count, waitMs] of steps) {
        total += passed(filter.run(sized(...new Array<number>(count).fill(10)), { session }).actions);
        filter.tick(waitMs);
        elapsedMs += waitMs;
      }
      expect(total).toBeLessThanOrEqual(10 + 0.05 * elapsedMs + 1e-6);
    }),
  );
});
