// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type DescField, getOption, hasOption } from "@bufbuild/protobuf";
import { type FieldRules, rules as fieldRules } from "../../gen/validate/validate_pb.js";
import { listCheck, mapCheck } from "./collection-check.ts";
import { type ElementType, elementCheck, type MessageCheckOf } from "./element-check.ts";
import type { Check } from "./violation.ts";

/**
 * The check of one field's value, or undefined if nothing can be wrong with it. Throws `MSM_PROTOS_UNKNOWN_RULE` for a
 * rule that the interpreter does not know.
 */
export function fieldCheck(field: DescField, checkOf: MessageCheckOf): Check | undefined {
  const rules = hasOption(field, fieldRules) ? getOption(field, fieldRules) : undefined;
  switch (field.fieldKind) {
    case "list":
      return listCheck(field, rules, checkOf);
    case "map":
      return mapCheck(field, rules, checkOf);
    default:
      return singularCheck(field, rules, checkOf);
  }
}

function singularCheck(
  field: DescField & ElementType,
  rules: FieldRules | undefined,
  checkOf: MessageCheckOf,
): Check | undefined {
  const check = elementCheck(field, rules, checkOf);
  const requiredBy = requiringRule(rules);
  if (check === undefined && requiredBy === undefined) return undefined;
  const isOneofMember = field.oneof !== undefined;
  return (value, violations, depth) => {
    if (value !== undefined) return check?.(value, violations, depth);
    // A member of a oneof that is not chosen is nobody's duty; the oneof itself may be required.
    if (requiredBy === undefined || isOneofMember) return;
    violations.push({ path: "", rule: requiredBy, message: "must be set" });
  };
}

function requiringRule(rules: FieldRules | undefined): string | undefined {
  if (rules?.message?.required) return "message.required";
  const type = rules?.type;
  const canRequire = type?.case === "any" || type?.case === "duration" || type?.case === "timestamp";
  return canRequire && type.value.required ? `${type.case}.required` : undefined;
}
