// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { debounce } from "./debounce.ts";
import { FakeClock } from "./testing/fake-clock.ts";

function debounced() {
  const clock = new FakeClock();
  const runs: { value: string; at: number }[] = [];
  const run = (value: string): void => void runs.push({ value, at: clock.now() });
  return { clock, runs, ...debounce(run, { quietMs: 20, maxMs: 100 }, clock) };
}

test("81: changes that come together make one call, with the newest", () => {
  const { clock, runs, call } = debounced();
  call("a");
  clock.advance(10);
  call("b");
  clock.advance(1000);
  expect(runs).toEqual([{ value: "b", at: 30 }]);
});

test("81: changes that never cease have their effect at the latest after the longest wait", () => {
  const { clock, runs, call } = debounced();
  for (let index = 0; index < 30; index++) {
    call(`v${index}`);
    clock.advance(10);
  }
  expect(runs.map(({ at }) => at)).toEqual([100, 200, 300]);
  expect(runs[0]!.value).toBe("v9");
});

test("81: nothing is called after the end", () => {
  const { clock, runs, call, cancel } = debounced();
  call("a");
  cancel();
  clock.advance(1000);
  expect(runs).toEqual([]);
});
