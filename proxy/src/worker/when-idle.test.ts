// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Sample } from "../stats/sample.ts";
import { countActive, whenIdle } from "./when-idle.ts";

const LIMIT_MS = 10_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("sessions, connections and flows count, and nothing else does", () => {
  const sample = (name: string, value: number): Sample => ({ kind: "gauge", name, labels: {}, value });
  const samples = [
    sample("udp.downstream_sess_active", 3),
    sample("udp.downstream_sess_total", 100),
    sample("msm_signalling_connections_active", 2),
    sample("msm_flows_active", 1),
    sample("udp.downstream_sess_active", 4),
  ];
  expect(countActive(samples)).toBe(10);
});

test("it is over at once where nothing is left, and when the last one has ended", async () => {
  let active = 0;
  const { signal } = new AbortController();
  await expect(whenIdle(() => active, LIMIT_MS, signal)).resolves.toBe(0);
  active = 2;
  let left: number | undefined;
  void whenIdle(() => active, LIMIT_MS, signal).then((count) => {
    left = count;
  });
  await vi.advanceTimersByTimeAsync(1000);
  expect(left).toBeUndefined();
  active = 0;
  await vi.advanceTimersByTimeAsync(1000);
  expect(left).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

test("it is over when the time is, or when nobody waits any more, whatever is left", async () => {
  const inTime = whenIdle(() => 5, LIMIT_MS, new AbortController().signal);
  await vi.advanceTimersByTimeAsync(LIMIT_MS);
  await expect(inTime).resolves.toBe(5);
  const controller = new AbortController();
  const aborted = whenIdle(() => 7, LIMIT_MS, controller.signal);
  controller.abort();
  await expect(aborted).resolves.toBe(7);
  expect(vi.getTimerCount()).toBe(0);
});
