// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { FailureRuns } from "./failure-runs.ts";
import type { ConsecutivePlan } from "./outlier-plan.ts";

const never = { limit: 1, enforcing: 0 };
const plan = (changes: Partial<ConsecutivePlan>): ConsecutivePlan => ({
  ...{ isSplit: false, serverErrors: never, gatewayErrors: never, localErrors: never },
  ...changes,
});

/** The positions, from 1, at which results in a row were enough. */
function hits(codes: readonly number[], changes: Partial<ConsecutivePlan>, random = 0): readonly number[] {
  const runs = new FailureRuns();
  return codes.flatMap((code, index) => (runs.note(code, plan(changes), () => random) ? [index + 1] : []));
}

const three = { limit: 3, enforcing: 100 };

test("server errors and endpoints that were not reached make one run, which an answer ends", () => {
  expect(hits([500, 0, 404, 503, 500, 0, 500, 500, 599], { serverErrors: three })).toEqual([6, 9]);
});

test("gateway errors make a run of their own, which other server errors end", () => {
  expect(hits([502, 503, 500, 502, 503, 504], { gatewayErrors: three })).toEqual([6]);
  expect(hits([0, 503, 0], { gatewayErrors: three })).toEqual([3]);
});

test("where origins are split, only endpoints that were not reached are local errors, and answers end their run", () => {
  const split = { isSplit: true, localErrors: three };
  expect(hits([0, 0, 500, 0, 0, 0], split)).toEqual([6]);
  expect(hits([500, 0, 500, 0, 500], { ...split, serverErrors: three })).toEqual([5]);
});

test("what is not enforced never is enough, and by lot as often as the percentage says", () => {
  expect(hits([500, 500, 500, 500], {})).toEqual([]);
  expect(hits([500, 500, 500], { serverErrors: { limit: 3, enforcing: 40 } }, 0.39)).toEqual([3]);
  expect(hits([500, 500, 500], { serverErrors: { limit: 3, enforcing: 40 } }, 0.4)).toEqual([]);
});
