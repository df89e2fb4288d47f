// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import { didYouMean } from "../nearest-word.ts";
import type { FieldPath } from "../refusal.ts";
import { type RefusalCode, refusalCodes } from "../refusal-codes.ts";
import type { Problem } from "./problem.ts";

/** Turns what a schema found into problems with stable codes, one per field. */
export function zodProblems(error: z.ZodError, schema: z.ZodType, value: unknown): Problem[] {
  return error.issues.flatMap((issue) => issueProblems(issue, schema, value));
}

function issueProblems(issue: z.core.$ZodIssue, schema: z.ZodType, value: unknown): Problem[] {
  const path = issue.path.filter((part) => typeof part !== "symbol");
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(schema, path);
    return issue.keys.map((key) => unknownField([...path, key], key, known));
  }
  if (issue.code === "custom") {
    return [{ code: customCode(issue.params), path, message: issue.message }];
  }
  if (issue.code === "invalid_type") {
    const found = valueAt(value, path);
    const wanted = typeNames[issue.expected] ?? `a ${issue.expected}`;
    if (found === undefined) return [{ code: "MSM_FIELD_MISSING", path, message: `is required: ${wanted}` }];
    return [{ code: "MSM_FIELD_TYPE", path, message: `must be ${wanted}, not ${typeName(found)}` }];
  }
  return [{ code: "MSM_FIELD_VALUE", path, message: lowerFirst(issue.message) }];
}

function unknownField(path: FieldPath, key: string, known: readonly string[]): Problem {
  const hint = didYouMean(key, known) || (known.length > 0 ? ` Known are ${known.join(", ")}.` : "");
  return { code: "MSM_FIELD_UNKNOWN", path, message: `unknown field.${hint}` };
}

function customCode(params: Readonly<Record<string, unknown>> | undefined): RefusalCode {
  const code = params?.code;
  return typeof code === "string" && code in refusalCodes ? (code as RefusalCode) : "MSM_FIELD_VALUE";
}

const typeNames: Readonly<Record<string, string>> = {
  int: "a whole number",
  number: "a number",
  string: "a string",
  object: "an object",
  record: "an object",
  array: "a list",
  boolean: "true or false",
};

function typeName(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  return typeNames[typeof value] ?? `a ${typeof value}`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function valueAt(value: unknown, path: FieldPath): unknown {
  let at: unknown = value;
  for (const part of path) {
    if (typeof at !== "object" || at === null) return undefined;
    at = (at as Record<string | number, unknown>)[part];
  }
  return at;
}

// Follows a path through the schema to learn which keys would have been right there.
function knownKeys(schema: z.ZodType, path: FieldPath): readonly string[] {
  let at: unknown = schema;
  for (const part of path) {
    at = unwrap(at);
    if (at instanceof z.ZodObject && typeof part === "string") at = at.shape[part];
    else if (at instanceof z.ZodArray) at = at.element;
    else return [];
  }
  at = unwrap(at);
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

function unwrap(schema: unknown): unknown {
  let at = schema;
  while (at instanceof z.ZodOptional || at instanceof z.ZodDefault || at instanceof z.ZodNullable)
    at = at.unwrap();
  return at;
}
