// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Continue, Drop, FilterHarness } from "@msm/filter-sdk/testing";
import { expect, test } from "vitest";

const FIRST = "10.0.0.1:7777";
const SECOND = "[2001:db8::1]:7777";
const config = { length: 2, routes: { a1a2: FIRST, B1B2: SECOND, c1c2: "10.0.0.9:1" } };
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

async function load(changes: object = {}): Promise<FilterHarness> {
  const filter = await FilterHarness.load("token-router", { ...config, ...changes });
  filter.setEndpoints(FIRST, SECOND);
  return filter;
}

const dropped = (filter: FilterHarness, reason: string): number =>
  filter.metric(`msm_filter_dropped_total{reason="${reason}"}`);

test("sessions go to the endpoints of their tokens, which the endpoints do not see", async () => {
  const filter = await load();
  const first = filter.run([bytes(1, 2, 0xa1, 0xa2), bytes(3, 0xa1, 0xa2)], { session: 1 });
  const second = filter.run([bytes(0xb1, 0xb2)], { session: 2 });
  expect(first.payloads).toEqual([bytes(1, 2), bytes(3)]);
  expect(second.payloads).toEqual([bytes()]);
  expect([...filter.routed]).toEqual([
    [1, FIRST],
    [2, SECOND],
  ]);
  expect(filter.metric("token_routes_total")).toBe(2);
});

test("a token may be at the start, and may stay", async () => {
  const removed = await load({ at: "start" });
  expect(removed.run([bytes(0xa1, 0xa2, 5)]).payloads).toEqual([bytes(5)]);
  const kept = await load({ at: "start", remove: false });
  expect(kept.run([bytes(0xa1, 0xa2, 5)]).payloads).toEqual([bytes(0xa1, 0xa2, 5)]);
});

test("the token of a long datagram is found behind what the filter sees", async () => {
  const filter = await load();
  const long = new Uint8Array(1_400).fill(7);
  long.set([0xa1, 0xa2], 1_398);
  expect(filter.run([long]).payloads).toEqual([long.subarray(0, 1_398)]);
});

test("a session whose token changes moves", async () => {
  const filter = await load();
  filter.run([bytes(1, 0xa1, 0xa2), bytes(1, 0xb1, 0xb2)], { session: 4 });
  expect(filter.routed.get(4)).toBe(SECOND);
});

test("a context that is used again begins without a route", async () => {
  const filter = await load();
  filter.run([bytes(1, 0xa1, 0xa2)], { session: 4 });
  filter.closeSession(4);
  filter.run([bytes(1, 0xa1, 0xa2)], { session: 4 });
  expect(filter.metric("token_routes_total")).toBe(2);
});

test("what has no token, an unknown one, or one without an endpoint is dropped and counted", async () => {
  const filter = await load();
  const { actions } = filter.run([bytes(1), bytes(1, 2, 3), bytes(0xc1, 0xc2), bytes(0xa1, 0xa2)]);
  expect(actions).toEqual([Drop, Drop, Drop, Continue]);
  const reasons = ["token_missing", "token_unknown", "endpoint_unknown"];
  expect(reasons.map((reason) => dropped(filter, reason))).toEqual([1, 1, 1]);
});

test("datagrams from endpoints pass as they are", async () => {
  const filter = await load();
  const { actions, payloads } = filter.run([bytes(1)], { from: "endpoint" });
  expect([actions, payloads]).toEqual([[Continue], [bytes(1)]]);
});

test("thousands of tokens are found, and no others", async () => {
  const hex = (i: number): string => i.toString(16).padStart(8, "0");
  const routes = Object.fromEntries(Array.from({ length: 1_024 }, (_, i) => [hex(i * 7), FIRST]));
  const filter = await load({ length: 4, routes });
  const view = (i: number): Uint8Array => Uint8Array.from(Buffer.from(hex(i), "hex"));
  const asked = Array.from({ length: 60 }, (_, i) => i * 103);
  const { actions } = filter.run(asked.map(view));
  expect(actions).toEqual(asked.map((i) => (i % 7 === 0 && i < 7 * 1_024 ? Continue : Drop)));
});

test.each([
  [{ length: 0 }, "length must be"],
  [{ at: "middle" }, "at must be end or start"],
  [{ routes: { a1: FIRST } }, "not of the length"],
  [{ routes: { a1zz: FIRST } }, "in hexadecimal"],
  [{ routes: { a1a2: "x".repeat(100) } }, "no endpoint"],
  [{ color: "red" }, "unknown field color"],
])("the configuration with %o is refused, and it is said why", async (changes, problem) => {
  await expect(load(changes)).rejects.toThrow(problem);
});

test("routes need the length of their tokens, before them; without routes nothing passes", async () => {
  const { length, routes } = config;
  for (const wrong of [{ routes }, { routes, length }]) {
    await expect(FilterHarness.load("token-router", wrong)).rejects.toThrow(
      "length that comes before routes",
    );
  }
  const filter = await FilterHarness.load("token-router");
  expect(filter.run([bytes(1, 2, 3)]).actions).toEqual([Drop]);
});
