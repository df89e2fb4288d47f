// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type DescMessage, type DescOneof, getOption, type Message } from "@bufbuild/protobuf";
import { disabled, ignored, required } from "../../gen/validate/validate_pb.js";
import { fieldCheck } from "./field-check.ts";
import { localValue } from "./rule-test.ts";
import { type Check, prefixPaths, type Violation } from "./violation.ts";

/** As deep as protobuf decoders go by default; a message made by hand could even contain itself. */
const MAX_DEPTH = 100;

const checks = new Map<DescMessage, Check>();

/** The check of a message type. It is compiled at its first use, since types may contain themselves, and kept. */
export function messageCheck(schema: DescMessage): Check {
  const known = checks.get(schema);
  if (known !== undefined) return known;
  let parts: readonly Check[] | undefined;
  const check: Check = (value, violations, depth) => {
    if (depth > MAX_DEPTH) {
      violations.push({
        path: "",
        rule: "depth",
        message: `must not be nested deeper than ${MAX_DEPTH} messages`,
      });
      return;
    }
    parts ??= compile(schema);
    for (const part of parts) part(value, violations, depth);
  };
  checks.set(schema, check);
  return check;
}

function compile(schema: DescMessage): readonly Check[] {
  if (getOption(schema, disabled) || getOption(schema, ignored)) return [];
  const oneofs = schema.oneofs.filter((oneof) => getOption(oneof, required)).map(oneofCheck);
  const fields = schema.fields.flatMap((field) => {
    const check = fieldCheck(field, messageCheck);
    if (check === undefined) return [];
    const prefix = `.${field.name}`;
    return (message: unknown, violations: Violation[], depth: number): void => {
      const start = violations.length;
      check(localValue(message as Message, field), violations, depth + 1);
      if (violations.length > start) prefixPaths(violations, start, prefix);
    };
  });
  return [...oneofs, ...fields];
}

function oneofCheck(oneof: DescOneof): Check {
  const names = oneof.fields.map((field) => field.name).join(", ");
  return (message, violations) => {
    const chosen = (message as Readonly<Record<string, { readonly case?: string }>>)[oneof.localName];
    if (chosen?.case !== undefined) return;
    violations.push({ path: `.${oneof.name}`, rule: "oneof.required", message: `must have one of ${names}` });
  };
}
