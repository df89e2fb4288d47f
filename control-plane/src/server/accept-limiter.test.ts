// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { FakeClock } from "../testing/fake-clock.ts";
import { AcceptLimiter } from "./accept-limiter.ts";

test("95: 2,000 clients that come at once are let in at the rate, in order, all without an error", () => {
  const clock = new FakeClock();
  const limiter = new AcceptLimiter({ perSecond: 500, burst: 500, maxWaiting: 20_000 }, clock);
  const entered: { client: number; at: number }[] = [];
  for (let client = 0; client < 2000; client++) {
    expect(limiter.admit(() => entered.push({ client, at: clock.now() }))).toBeTypeOf("function");
  }
  expect(entered).toHaveLength(500);
  clock.advance(10_000);
  expect(entered.map(({ client }) => client)).toEqual(Array.from({ length: 2000 }, (_, client) => client));
  // 99 in 100 have their turn within (2000 - 500) / 500 seconds.
  expect(entered[1980]!.at).toBeLessThanOrEqual(3000);
  expect(clock.pending).toBe(0);
});

test("95: refuses when too many wait, and forgets who leaves", () => {
  const clock = new FakeClock();
  const limiter = new AcceptLimiter({ perSecond: 1, burst: 1, maxWaiting: 2 }, clock);
  const entered: string[] = [];
  const enter = (name: string) => limiter.admit(() => entered.push(name));
  enter("first");
  const leave = enter("left");
  enter("second");
  expect(enter("refused")).toBeUndefined();
  leave?.();
  clock.advance(5000);
  expect(entered).toEqual(["first", "second"]);
});
