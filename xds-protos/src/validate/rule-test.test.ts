// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { type FieldRules, FieldRulesSchema, KnownRegex } from "../../gen/validate/validate_pb.js";
import { elementTests } from "./element-tests.ts";

type Init = NonNullable<MessageInitShape<typeof FieldRulesSchema>["type"]>;

function rules(type: Init): FieldRules {
  return create(FieldRulesSchema, { type });
}

/** Asks the tests of the rules about a value: the names of the rules that it breaks. */
function broken(type: Init, value: unknown): readonly string[] {
  return elementTests(rules(type)).flatMap(({ holds, rule }) => (holds(value) ? [] : [rule]));
}

const seconds = (count: number, nanos = 0) => ({ seconds: BigInt(count), nanos });
const bytes = (...values: readonly number[]) => Uint8Array.from(values);

/** Rule, a value that keeps it, a value that breaks it. */
const cases: readonly (readonly [Init, unknown, unknown])[] = [
  [{ case: "uint32", value: { const: 3 } }, 3, 4],
  [{ case: "uint32", value: { lt: 3 } }, 2, 3],
  [{ case: "uint32", value: { lte: 3 } }, 3, 4],
  [{ case: "int32", value: { gt: -3 } }, -2, -3],
  [{ case: "sint32", value: { gte: -3 } }, -3, -4],
  [{ case: "fixed32", value: { in: [1, 2] } }, 2, 3],
  [{ case: "sfixed32", value: { notIn: [1, 2] } }, 3, 2],
  [{ case: "uint64", value: { gte: 3n } }, 3n, 2n],
  [{ case: "int64", value: { in: [1n] } }, 1n, 2n],
  [{ case: "sint64", value: { lt: 0n } }, -1n, 0n],
  [{ case: "fixed64", value: { const: 9n } }, 9n, 8n],
  [{ case: "sfixed64", value: { lte: 9n } }, 9n, 10n],
  [{ case: "float", value: { gte: 0.5 } }, 0.5, 0.25],
  [{ case: "double", value: { lte: 100 } }, 100, 100.1],
  [{ case: "double", value: { gte: 0 } }, 0, Number.NaN],
  [{ case: "bool", value: { const: true } }, true, false],
  [{ case: "string", value: { const: "a" } }, "a", "b"],
  [{ case: "string", value: { len: 2n } }, "\u{1f3a5}a", "a"],
  [{ case: "string", value: { minLen: 1n } }, "a", ""],
  [{ case: "string", value: { minLen: 2n } }, "ab", "\u{1f3a5}"],
  [{ case: "string", value: { maxLen: 1n } }, "\u{1f3a5}", "ab"],
  [{ case: "string", value: { lenBytes: 2n } }, "\u00e9", "e"],
  [{ case: "string", value: { minBytes: 2n } }, "\u00e9", "e"],
  [{ case: "string", value: { maxBytes: 1n } }, "e", "\u00e9"],
  [{ case: "string", value: { pattern: "^[^?#]+$" } }, "/a", "/a?b"],
  [{ case: "string", value: { prefix: "a" } }, "ab", "ba"],
  [{ case: "string", value: { suffix: "a" } }, "ba", "ab"],
  [{ case: "string", value: { contains: "b" } }, "abc", "ac"],
  [{ case: "string", value: { notContains: "b" } }, "ac", "abc"],
  [{ case: "string", value: { in: ["a"] } }, "a", "b"],
  [{ case: "string", value: { notIn: ["a"] } }, "b", "a"],
  [
    { case: "string", value: { wellKnown: { case: "hostname", value: true } } },
    "cam-1.example.com",
    "-cam.example",
  ],
  [{ case: "string", value: { wellKnown: { case: "ip", value: true } } }, "2001:db8::1", "[2001:db8::1]"],
  [{ case: "string", value: { wellKnown: { case: "ipv4", value: true } } }, "192.0.2.1", "2001:db8::1"],
  [{ case: "string", value: { wellKnown: { case: "ipv6", value: true } } }, "2001:db8::1", "192.0.2.1"],
  [{ case: "string", value: { wellKnown: { case: "uri", value: true } } }, "rtsp://example.com/a", "/a"],
  [{ case: "string", value: { wellKnown: { case: "uriRef", value: true } } }, "/a", "a b"],
  [{ case: "string", value: { wellKnown: { case: "address", value: true } } }, "192.0.2.1", "a_b"],
  [
    { case: "string", value: { wellKnown: { case: "uuid", value: true } } },
    "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "6ba7b810",
  ],
  [
    { case: "string", value: { wellKnown: { case: "wellKnownRegex", value: KnownRegex.HTTP_HEADER_NAME } } },
    ":method",
    "a b",
  ],
  [
    { case: "string", value: { wellKnown: { case: "wellKnownRegex", value: KnownRegex.HTTP_HEADER_VALUE } } },
    "a\tb",
    "a\x01",
  ],
  [
    {
      case: "string",
      value: { strict: false, wellKnown: { case: "wellKnownRegex", value: KnownRegex.HTTP_HEADER_NAME } },
    },
    "a b\x01",
    "a\r\n",
  ],
  [{ case: "bytes", value: { const: bytes(1) } }, bytes(1), bytes(2)],
  [{ case: "bytes", value: { len: 1n } }, bytes(1), bytes()],
  [{ case: "bytes", value: { minLen: 1n } }, bytes(1), bytes()],
  [{ case: "bytes", value: { maxLen: 1n } }, bytes(1), bytes(1, 2)],
  [{ case: "bytes", value: { prefix: bytes(1) } }, bytes(1, 2), bytes(2, 1)],
  [{ case: "bytes", value: { suffix: bytes(1) } }, bytes(2, 1), bytes(1, 2)],
  [{ case: "bytes", value: { contains: bytes(2, 3) } }, bytes(1, 2, 3), bytes(2, 1, 3)],
  [{ case: "bytes", value: { in: [bytes(1)] } }, bytes(1), bytes(2)],
  [{ case: "bytes", value: { notIn: [bytes(1)] } }, bytes(2), bytes(1)],
  [{ case: "bytes", value: { wellKnown: { case: "ip", value: true } } }, bytes(192, 0, 2, 1), bytes(1)],
  [{ case: "enum", value: { const: 1 } }, 1, 2],
  [{ case: "enum", value: { in: [1, 2] } }, 2, 0],
  [{ case: "enum", value: { notIn: [0] } }, 1, 0],
  [{ case: "any", value: { in: ["type/a"] } }, { typeUrl: "type/a" }, { typeUrl: "type/b" }],
  [{ case: "any", value: { notIn: ["type/a"] } }, { typeUrl: "type/b" }, { typeUrl: "type/a" }],
  [{ case: "duration", value: { gt: seconds(0) } }, seconds(0, 1), seconds(0)],
  [{ case: "duration", value: { gte: seconds(0, 1_000_000) } }, seconds(1), seconds(0, 999_999)],
  [{ case: "duration", value: { lt: seconds(5) } }, seconds(4, 999), seconds(5)],
  [{ case: "duration", value: { lte: seconds(5) } }, seconds(5), seconds(5, 1)],
  [{ case: "duration", value: { const: seconds(5) } }, seconds(5), seconds(4)],
  [{ case: "duration", value: { in: [seconds(5)] } }, seconds(5), seconds(4)],
  [{ case: "timestamp", value: { gt: seconds(100) } }, seconds(101), seconds(100)],
];

test.each(cases)("%o tells %o from %o", (type, good, bad) => {
  expect(broken(type, good)).toEqual([]);
  expect(broken(type, bad)).toHaveLength(1);
});

test("two bounds make a range", () => {
  const range: Init = { case: "uint32", value: { gte: 1, lte: 1 } };
  expect(broken(range, 0)).toEqual(["uint32.gte"]);
  expect(broken(range, 1)).toEqual([]);
  expect(broken(range, 2)).toEqual(["uint32.lte"]);
});

test("a lower bound above the upper one asks for a value outside", () => {
  const outside: Init = { case: "uint32", value: { gt: 10, lt: 5 } };
  expect([4, 5, 7, 10, 11].map((value) => broken(outside, value).length)).toEqual([0, 1, 1, 1, 0]);
});

test("ignore_empty lets an empty value pass, whatever the other rules say", () => {
  expect(broken({ case: "string", value: { minLen: 3n, ignoreEmpty: true } }, "")).toEqual([]);
  expect(broken({ case: "string", value: { minLen: 3n, ignoreEmpty: true } }, "a")).toEqual([
    "string.min_len",
  ]);
  expect(broken({ case: "uint32", value: { gt: 3, ignoreEmpty: true } }, 0)).toEqual([]);
  expect(broken({ case: "bytes", value: { minLen: 3n, ignoreEmpty: true } }, bytes())).toEqual([]);
});

test("a rule that is not implemented is refused, not passed over", () => {
  expect(() => elementTests(rules({ case: "timestamp", value: { gtNow: true } }))).toThrow(
    "MSM_PROTOS_UNKNOWN_RULE: validate.rules has timestamp.gt_now",
  );
});
