// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { DescEnum } from "@bufbuild/protobuf";
import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import * as pgv from "../../gen/validate/validate_pb.js";
import { bytesRules } from "./bytes-rules.ts";
import { comparableRules } from "./comparable-rules.ts";
import { type RuleMaker, type RuleTest, ruleTests } from "./rule-test.ts";
import { anyRules, stringRules } from "./string-rules.ts";

const numbers = comparableRules({ toComparable: (value) => value as number | bigint, show: String });
const bools = comparableRules({ toComparable: Number, show: String });
const instants = comparableRules({
  toComparable: nanoseconds,
  show: (value) => `${Number(nanoseconds(value)) / 1e9} s`,
});

const numericSchemas = {
  float: pgv.FloatRulesSchema,
  double: pgv.DoubleRulesSchema,
  int32: pgv.Int32RulesSchema,
  int64: pgv.Int64RulesSchema,
  uint32: pgv.UInt32RulesSchema,
  uint64: pgv.UInt64RulesSchema,
  sint32: pgv.SInt32RulesSchema,
  sint64: pgv.SInt64RulesSchema,
  fixed32: pgv.Fixed32RulesSchema,
  fixed64: pgv.Fixed64RulesSchema,
  sfixed32: pgv.SFixed32RulesSchema,
  sfixed64: pgv.SFixed64RulesSchema,
};

/**
 * The tests for one value, be it a field's, an item's or a map's key or value. `enumeration` is given for enum
 * values. Throws `MSM_PROTOS_UNKNOWN_RULE` for a rule that the interpreter does not know.
 */
export function elementTests(rules: pgv.FieldRules | undefined, enumeration?: DescEnum): readonly RuleTest[] {
  const type = rules?.type;
  switch (type?.case) {
    case undefined:
    case "repeated":
    case "map":
      return [];
    case "bool":
      return ruleTests("bool", pgv.BoolRulesSchema, type.value, bools);
    case "string":
      return ruleTests("string", pgv.StringRulesSchema, type.value, stringRules);
    case "bytes":
      return ruleTests("bytes", pgv.BytesRulesSchema, type.value, bytesRules);
    case "enum":
      return ruleTests("enum", pgv.EnumRulesSchema, type.value, { ...numbers, ...definedOnly(enumeration) });
    case "any":
      return ruleTests("any", pgv.AnyRulesSchema, type.value, anyRules).map(ofTypeUrl);
    case "duration":
      return ruleTests("duration", pgv.DurationRulesSchema, type.value, instants);
    case "timestamp":
      return ruleTests("timestamp", pgv.TimestampRulesSchema, type.value, instants);
    default:
      return ruleTests(type!.case, numericSchemas[type!.case], type!.value, numbers);
  }
}

function definedOnly(enumeration: DescEnum | undefined): Readonly<Record<string, RuleMaker>> {
  const values = enumeration?.value ?? {};
  return {
    defined_only: (bound) =>
      bound === true
        ? {
            problem: `must be a value of ${enumeration?.typeName}`,
            holds: (value) => (value as number) in values,
          }
        : undefined,
  };
}

function ofTypeUrl(test: RuleTest): RuleTest {
  return { ...test, holds: (value) => test.holds((value as { readonly typeUrl: string }).typeUrl) };
}

function nanoseconds(value: unknown): bigint {
  const { seconds, nanos } = value as Duration | Timestamp;
  return seconds * 1_000_000_000n + BigInt(nanos);
}
