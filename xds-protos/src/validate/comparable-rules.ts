// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Message } from "@bufbuild/protobuf";
import type { RuleMaker } from "./rule-test.ts";

type Comparable = number | bigint;

/** How a kind compares: `toComparable` makes what < compares of a value or a bound, `show` says it to a person. */
export type Order = {
  readonly toComparable: (value: unknown) => Comparable;
  readonly show: (value: unknown) => string;
};

type Limit = { readonly phrase: string; readonly holds: (value: unknown) => boolean };
type Range = {
  readonly low: Limit | undefined;
  readonly high: Limit | undefined;
  readonly isInverted: boolean;
};

/**
 * How const, in, not_in and the bounds are tested for a kind that has an order (validate.proto FloatRules to
 * SFixed64Rules, BoolRules, DurationRules, TimestampRules).
 */
export function comparableRules(order: Order): Readonly<Record<string, RuleMaker>> {
  const low: RuleMaker = (_bound, rules) => lowTest(rangeOf(rules, order));
  const high: RuleMaker = (_bound, rules) => highTest(rangeOf(rules, order));
  return {
    const: (bound) => amongTest([bound], true, order),
    in: (bound) => amongTest(bound as readonly unknown[], true, order),
    not_in: (bound) => amongTest(bound as readonly unknown[], false, order),
    lt: high,
    lte: high,
    gt: low,
    gte: low,
  };
}

function amongTest(bounds: readonly unknown[], wanted: boolean, order: Order): ReturnType<RuleMaker> {
  const values = new Set(bounds.map(order.toComparable));
  const list = bounds.map(order.show).join(", ");
  const problem = `must ${wanted ? "" : "not "}be ${bounds.length > 1 ? "one of " : ""}${list}`;
  return { problem, holds: (value) => values.has(order.toComparable(value)) === wanted };
}

function rangeOf(rules: Message, { toComparable, show }: Order): Range {
  // Unset proto2 fields read as zero from the prototype; only the message's own properties are set.
  const { gt, gte, lt, lte } = Object.assign({}, rules) as Message & Readonly<Record<string, unknown>>;
  const limit = (given: unknown, phrase: string, test: (value: Comparable, edge: Comparable) => boolean) => {
    if (given === undefined) return undefined;
    const edge = toComparable(given);
    return { phrase: `${phrase} ${show(given)}`, holds: (value: unknown) => test(toComparable(value), edge) };
  };
  const low =
    limit(gt, "greater than", (value, edge) => value > edge) ??
    limit(gte, "at least", (value, edge) => value >= edge);
  const high =
    limit(lt, "less than", (value, edge) => value < edge) ??
    limit(lte, "at most", (value, edge) => value <= edge);
  const isInverted =
    low !== undefined && high !== undefined && toComparable(gt ?? gte) > toComparable(lt ?? lte);
  return { low, high, isInverted };
}

function lowTest({ low, high, isInverted }: Range): ReturnType<RuleMaker> {
  if (!isInverted) return { problem: `must be ${low!.phrase}`, holds: low!.holds };
  // A lower bound above the upper one turns the range inside out: the value must lie outside (validate.proto, gt).
  return {
    problem: `must be ${low!.phrase} or ${high!.phrase}`,
    holds: (value) => low!.holds(value) || high!.holds(value),
  };
}

function highTest({ high, isInverted }: Range): ReturnType<RuleMaker> {
  return isInverted ? undefined : { problem: `must be ${high!.phrase}`, holds: high!.holds };
}
