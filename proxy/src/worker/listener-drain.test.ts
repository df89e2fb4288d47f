// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ListenerPlan, Plan, SignallingPlan } from "../plan.ts";
import { ListenerDrain } from "./listener-drain.ts";

const DRAIN_MS = 1_000;
const udp = (name: string, more: Partial<ListenerPlan> = {}) => ({ name, ...more }) as ListenerPlan;
const tcp = (name: string) => ({ name, maxConnections: 7, isInbound: true }) as SignallingPlan;

let applied: Plan[];
let drain: ListenerDrain;

beforeEach(() => {
  vi.useFakeTimers();
  applied = [];
  drain = new ListenerDrain(async (plan) => {
    applied.push(plan);
    return [];
  }, DRAIN_MS);
});
afterEach(() => {
  drain.close();
  vi.useRealTimers();
});

const plan: Plan = {
  listeners: [udp("out"), udp("in", { isInbound: true, limits: { maxSessions: 3 } })],
  signalling: [tcp("rtsp")],
  clusters: [],
};

test("gracefully, listeners refuse newcomers until the drain time is over, and are closed then", async () => {
  await drain.apply(plan);
  expect(applied.at(-1)).toEqual(plan);
  await drain.drain({ isGraceful: true, staysOpen: false, inboundOnly: true });
  expect(applied.at(-1)).toEqual({
    ...plan,
    listeners: [plan.listeners[0], { ...plan.listeners[1], limits: { maxSessions: 3, isDraining: true } }],
    signalling: [{ ...plan.signalling![0], maxConnections: 0 }],
  });
  await vi.advanceTimersByTimeAsync(DRAIN_MS / 2);
  // Asked again, it is over no later.
  await drain.drain({ isGraceful: true, staysOpen: false, inboundOnly: true });
  await vi.advanceTimersByTimeAsync(DRAIN_MS / 2);
  expect(applied.at(-1)).toEqual({ ...plan, listeners: [plan.listeners[0]], signalling: [] });
});

test("listeners that are to stay open only refuse newcomers, however long", async () => {
  await drain.apply(plan);
  await drain.drain({ isGraceful: true, staysOpen: true, inboundOnly: false });
  await vi.advanceTimersByTimeAsync(2 * DRAIN_MS);
  expect(applied.at(-1)!.listeners.map(({ limits }) => limits?.isDraining)).toEqual([true, true]);
});

test("at once, all listeners are closed, and those of later plans are not opened", async () => {
  await drain.apply(plan);
  await drain.drain({ isGraceful: false, staysOpen: false, inboundOnly: false });
  await drain.apply({ ...plan, listeners: [udp("late")] });
  expect(applied.at(-1)).toEqual({ ...plan, listeners: [], signalling: [] });
});

test("a listener that drains is the same in every plan, so that a reload does not touch it", async () => {
  await drain.drain({ isGraceful: true, staysOpen: false, inboundOnly: false });
  await drain.apply(plan);
  const [first] = applied.at(-1)!.listeners;
  await drain.apply({ ...plan, clusters: [] });
  expect(applied.at(-1)!.listeners[0]).toBe(first);
});
