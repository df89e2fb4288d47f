// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type DescField, ScalarType } from "@bufbuild/protobuf";
import { type FieldRules, MapRulesSchema, RepeatedRulesSchema } from "../../gen/validate/validate_pb.js";
import { elementCheck, type MessageCheckOf } from "./element-check.ts";
import { type RuleMaker, type RuleTest, ruleTests } from "./rule-test.ts";
import { type Check, prefixPaths, type Violation } from "./violation.ts";

const repeatedRules: Readonly<Record<string, RuleMaker>> = {
  min_items: (bound) => items(`must have at least ${bound} items`, (list) => list.length >= Number(bound)),
  max_items: (bound) => items(`must have at most ${bound} items`, (list) => list.length <= Number(bound)),
  unique: (bound) => (bound === true ? items("must not repeat an item", isUnique) : undefined),
  items: () => undefined,
};

const mapRules: Readonly<Record<string, RuleMaker>> = {
  min_pairs: (bound) => pairs(`must have at least ${bound} entries`, (count) => count >= Number(bound)),
  max_pairs: (bound) => pairs(`must have at most ${bound} entries`, (count) => count <= Number(bound)),
  // Decoded maps always hold a value for each key.
  no_sparse: () => undefined,
  keys: () => undefined,
  values: () => undefined,
};

const SMALL_KEYS: ReadonlySet<ScalarType> = new Set([
  ScalarType.INT32,
  ScalarType.UINT32,
  ScalarType.SINT32,
  ScalarType.FIXED32,
  ScalarType.SFIXED32,
]);

/** The check of a repeated field, or undefined if nothing can be wrong with it. */
export function listCheck(
  field: DescField & { readonly fieldKind: "list" },
  rules: FieldRules | undefined,
  checkOf: MessageCheckOf,
): Check | undefined {
  const own = rules?.type.case === "repeated" ? rules.type.value : undefined;
  const tests = own === undefined ? [] : ruleTests("repeated", RepeatedRulesSchema, own, repeatedRules);
  const skipped = rules?.message?.skip ? { ...field, message: undefined } : field;
  const item = elementCheck(skipped, own?.items, checkOf);
  if (tests.length === 0 && item === undefined) return undefined;
  return (value, violations, depth) => {
    const list = value as readonly unknown[];
    pushFailures(tests, list, violations);
    if (item === undefined) return;
    for (let i = 0; i < list.length; i++) {
      const start = violations.length;
      item(list[i], violations, depth);
      if (violations.length > start) prefixPaths(violations, start, `[${i}]`);
    }
  };
}

/** The check of a map field, or undefined if nothing can be wrong with it. */
export function mapCheck(
  field: DescField & { readonly fieldKind: "map" },
  rules: FieldRules | undefined,
  checkOf: MessageCheckOf,
): Check | undefined {
  const own = rules?.type.case === "map" ? rules.type.value : undefined;
  const tests = own === undefined ? [] : ruleTests("map", MapRulesSchema, own, mapRules);
  const skipped = rules?.message?.skip ? { ...field, message: undefined } : field;
  const keyCheck = elementCheck({}, own?.keys, checkOf);
  const valueCheck = elementCheck(skipped, own?.values, checkOf);
  if (tests.length === 0 && keyCheck === undefined && valueCheck === undefined) return undefined;
  return (value, violations, depth) => {
    const map = value as Readonly<Record<string, unknown>>;
    pushFailures(tests, map, violations);
    for (const [key, entry] of Object.entries(map)) {
      const start = violations.length;
      keyCheck?.(keyValue(field.mapKey, key), violations, depth);
      valueCheck?.(entry, violations, depth);
      if (violations.length > start) prefixPaths(violations, start, `[${JSON.stringify(key)}]`);
    }
  };
}

function pushFailures(tests: readonly RuleTest[], value: unknown, violations: Violation[]): void {
  for (const { holds, rule, problem } of tests) {
    if (!holds(value)) violations.push({ path: "", rule, message: problem });
  }
}

/** Objects have string keys only; rules about keys speak of the key's own type. */
function keyValue(type: ScalarType, key: string): unknown {
  if (type === ScalarType.STRING) return key;
  if (type === ScalarType.BOOL) return key === "true";
  return SMALL_KEYS.has(type) ? Number(key) : BigInt(key);
}

function items(problem: string, holds: (list: readonly unknown[]) => boolean): ReturnType<RuleMaker> {
  return { problem, holds: (value) => holds(value as readonly unknown[]) };
}

function pairs(problem: string, holds: (count: number) => boolean): ReturnType<RuleMaker> {
  return { problem, holds: (value) => holds(Object.keys(value as object).length) };
}

function isUnique(list: readonly unknown[]): boolean {
  // Bytes compare by content; other items of such lists are scalars.
  const keys = list.map((item) => (item instanceof Uint8Array ? Buffer.from(item).toString("latin1") : item));
  return new Set(keys).size === list.length;
}
