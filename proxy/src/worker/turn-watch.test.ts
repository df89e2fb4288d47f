// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { VITALS, Vital } from "./protocol.ts";
import { currentThread, threadCpuMs } from "./thread-time.ts";
import { TurnWatch } from "./turn-watch.ts";

const LIMIT_MS = 2000;
const INTERVAL_MS = 500;

/** Looks at a turn that began at 1,000 ms until `endMs`; of each interval its thread runs `share`. */
function watchTurn(share: number | undefined, endMs: number): number | undefined {
  const vitals = new Float64Array(VITALS);
  vitals[Vital.turnStartMs] = 1000;
  vitals[Vital.thread] = 7;
  let nowMs = 1000;
  const watch = new TurnWatch(vitals, {
    now: () => nowMs,
    threadMs: (thread) => (share === undefined || thread !== 7 ? undefined : nowMs * share),
  });
  for (; nowMs <= endMs; nowMs += INTERVAL_MS) {
    const overdue = watch.look(LIMIT_MS);
    if (overdue !== undefined) return overdue.lastedMs;
  }
  return undefined;
}

test("a turn that computes all the time is overdue at its limit", () => {
  expect(watchTurn(1, 60_000)).toBe(LIMIT_MS);
});

test("a turn that gets a tenth of a core is overdue when it has used half of its limit", () => {
  expect(watchTurn(0.1, 60_000)).toBe(LIMIT_MS * 5);
});

test("a turn that waits for a core is left alone, but not for ever: it may be blocked", () => {
  expect(watchTurn(0, 1000 + 9 * LIMIT_MS)).toBeUndefined();
  expect(watchTurn(0, 60_000)).toBe(10 * LIMIT_MS);
});

test("where the system does not tell a thread's time, its limit alone counts", () => {
  expect(watchTurn(undefined, 60_000)).toBe(LIMIT_MS);
});

test("each turn has a limit of its own, and a worker that waits has none", () => {
  const vitals = new Float64Array(VITALS);
  let nowMs = 1000;
  const watch = new TurnWatch(vitals, { now: () => nowMs, threadMs: () => nowMs });
  for (; nowMs < 10_000; nowMs += INTERVAL_MS) {
    vitals[Vital.turnStartMs] = nowMs % 1000 === 0 ? nowMs - 400 : 0;
    expect(watch.look(LIMIT_MS)).toBeUndefined();
  }
});

test.runIf(process.platform === "linux")("the system tells what this thread has used", () => {
  const thread = currentThread();
  expect(thread).toBeGreaterThan(0);
  const before = threadCpuMs(thread)!;
  while (threadCpuMs(thread)! < before + 20);
  expect(threadCpuMs(0)).toBeUndefined();
  expect(threadCpuMs(2 ** 30)).toBeUndefined();
});
