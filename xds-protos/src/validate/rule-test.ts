// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type DescField, type DescMessage, isFieldSet, type Message } from "@bufbuild/protobuf";

/** One rule of one field, ready to be asked. */
export type RuleTest = {
  readonly rule: string;
  readonly problem: string;
  readonly holds: (value: unknown) => boolean;
};

/** Makes the test of one rule from its bound, or undefined where another entry of the table covers it. */
export type RuleMaker = (bound: unknown, rules: Message) => Omit<RuleTest, "rule"> | undefined;

/** Not tests themselves: they change when or how the others are asked. */
const MODIFIERS: ReadonlySet<string> = new Set(["ignore_empty", "required", "strict"]);

/**
 * Makes the tests that `rules`, a message such as validate.UInt32Rules, asks for. `table` says how, by rule name.
 * Throws `MSM_PROTOS_UNKNOWN_RULE` for a rule that is not in the table: silence would pass for validity.
 */
export function ruleTests(
  kind: string,
  schema: DescMessage,
  rules: Message,
  table: Readonly<Record<string, RuleMaker>>,
): readonly RuleTest[] {
  const set = schema.fields.filter((field) => isFieldSet(rules, field));
  const ignoreEmpty = set.some((field) => field.name === "ignore_empty" && localValue(rules, field) === true);
  return set.flatMap((field) => {
    if (MODIFIERS.has(field.name)) return [];
    const make = table[field.name];
    if (make === undefined) {
      throw new Error(
        `MSM_PROTOS_UNKNOWN_RULE: validate.rules has ${kind}.${field.name}, which is not implemented`,
      );
    }
    const test = make(localValue(rules, field), rules);
    if (test === undefined) return [];
    const holds = ignoreEmpty ? (value: unknown) => isEmpty(value) || test.holds(value) : test.holds;
    return [{ rule: `${kind}.${field.name}`, problem: test.problem, holds }];
  });
}

/** The value of a field as the message holds it; undefined for a member of a oneof that is not chosen. */
export function localValue(message: Message, field: DescField): unknown {
  const record = message as unknown as Readonly<Record<string, unknown>>;
  if (field.oneof === undefined) return record[field.localName];
  const chosen = record[field.oneof.localName] as { readonly case?: string; readonly value?: unknown };
  return chosen.case === field.localName ? chosen.value : undefined;
}

function isEmpty(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0;
  return value === "" || value === 0 || value === 0n || value === false;
}
