// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test } from "vitest";
import { EndpointCheck } from "./endpoint-check.ts";
import { type HealthChecker, HealthVerdict } from "./health-checker.ts";
import { healthCheckPlan } from "./testing/health-check-plan.ts";
import { ManualClock, settle } from "./testing/manual-clock.ts";

const target = { address: "127.0.0.1", port: 5004, hostname: "" };
let clock: ManualClock;
let answer: () => Promise<void>;
let changes: boolean[];
let check: EndpointCheck;

beforeEach(() => {
  clock = new ManualClock();
  answer = () => Promise.resolve();
  changes = [];
});

afterEach(() => check.stop());

function start(plan = healthCheckPlan()): void {
  const checker: HealthChecker = {
    readOptions: () => undefined,
    check: (_target, _options, signal) =>
      Promise.race([
        answer(),
        new Promise<void>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
      ]),
  };
  check = new EndpointCheck(target, plan, checker, clock, () => changes.push(check.isHealthy));
}

test("asks at once, then at its intervals, and tells of changes alone", async () => {
  start();
  await settle();
  expect(changes).toEqual([true]);
  await clock.advance(5000);
  expect(check.counts).toEqual({ attempt: 6, success: 6, failure: 0 });
  answer = () => Promise.reject(new Error("ECONNREFUSED"));
  await clock.advance(2000);
  expect(changes).toEqual([true]);
  await clock.advance(1000);
  expect(changes).toEqual([true, false]);
  expect(check.lastFailure).toBe("ECONNREFUSED");
});

test("takes silence for a failure when the time-out is over", async () => {
  start(healthCheckPlan({ unhealthyThreshold: 1 }));
  await settle();
  answer = () => new Promise(() => {});
  await clock.advance(1199);
  expect(changes).toEqual([true]);
  await clock.advance(1);
  expect(changes).toEqual([true, false]);
  expect(check.lastFailure).toBe("no answer in time");
});

test("waits for no threshold where the endpoint says itself that it is not well", async () => {
  start();
  await settle();
  answer = () => Promise.reject(new HealthVerdict("answered 503"));
  await clock.advance(1000);
  expect(changes).toEqual([true, false]);
});

test("asks no more once it is stopped", async () => {
  start();
  await settle();
  check.stop();
  await clock.advance(10_000);
  expect(check.counts.attempt).toBe(1);
});

test("spreads first checks over the initial jitter", async () => {
  clock.random = () => 0.5;
  start(healthCheckPlan({ initialJitterMs: 1000 }));
  await clock.advance(499);
  expect(check.counts.attempt).toBe(0);
  await clock.advance(1);
  expect(check.counts.attempt).toBe(1);
});
