// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type DescEnum, type DescMessage, isMessage } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import type { FieldRules } from "../../gen/validate/validate_pb.js";
import { elementTests } from "./element-tests.ts";
import type { Check } from "./violation.ts";

/** What a value is made of: a scalar, an enum or a message. */
export type ElementType = {
  readonly message?: DescMessage | undefined;
  readonly enum?: DescEnum | undefined;
};

/** Finds the check of a message type; passed in, because types may contain themselves. */
export type MessageCheckOf = (schema: DescMessage) => Check;

/** The check of one value that is present: the rules' tests, then, for a message, what its own type asks. */
export function elementCheck(
  type: ElementType,
  rules: FieldRules | undefined,
  checkOf: MessageCheckOf,
): Check | undefined {
  const tests = elementTests(rules, type.enum);
  const isOpaque = type.message === undefined || type.message.typeName.startsWith("google.protobuf.");
  const inner = isOpaque || rules?.message?.skip ? undefined : checkOf(type.message!);
  if (tests.length === 0) return inner;
  // Wrappers are plain values in a singular field, but messages in lists, maps and oneofs.
  const isWrapper = type.message !== undefined && isWrapperDesc(type.message);
  return (value, violations, depth) => {
    const plain =
      isWrapper && isMessage(value) ? (value as unknown as { readonly value: unknown }).value : value;
    for (const { holds, rule, problem } of tests) {
      if (!holds(plain)) violations.push({ path: "", rule, message: problem });
    }
    inner?.(value, violations, depth);
  };
}
