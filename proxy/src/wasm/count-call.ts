// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { GuestBudget } from "./guest-budget.ts";

type Value = number | bigint;
type HostCall = (...values: readonly Value[]) => unknown;

/**
 * A host call that is counted. One closure per number of parameters: passing them on as a list would allocate at
 * each call.
 */
export function countCall(call: CallableFunction, budget: GuestBudget): CallableFunction {
  const inner = call as unknown as HostCall;
  switch (call.length) {
    case 0:
      return () => {
        budget.spendHostCall();
        return inner();
      };
    case 1:
      return (a: Value) => {
        budget.spendHostCall();
        return inner(a);
      };
    case 2:
      return (a: Value, b: Value) => {
        budget.spendHostCall();
        return inner(a, b);
      };
    case 3:
      return (a: Value, b: Value, c: Value) => {
        budget.spendHostCall();
        return inner(a, b, c);
      };
    case 4:
      return (a: Value, b: Value, c: Value, d: Value) => {
        budget.spendHostCall();
        return inner(a, b, c, d);
      };
    case 5:
      return (a: Value, b: Value, c: Value, d: Value, e: Value) => {
        budget.spendHostCall();
        return inner(a, b, c, d, e);
      };
    default:
      // Files alone have calls with more.
      return (...values: readonly Value[]) => {
        budget.spendHostCall();
        return inner(...values);
      };
  }
}
