// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type DescField, type DescMessage, isFieldSet, type MessageShape } from "@bufbuild/protobuf";
import { ConfigError } from "../config-error.ts";
import type { ConfigCode } from "./codes.ts";

/** Throws a `ConfigError` whose code is one of the table. The empty path stands for the resource as a whole. */
export function refuse(code: ConfigCode, field: string, problem: string): never {
  throw new ConfigError(code, field === "" ? "resource" : field, problem);
}

/** The path of a field below another path; the outermost path is the empty string. */
export function at(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

/** What is said of a field that is set: it is honoured or harmless, or only while its value is a certain one. */
export type FieldRule = "accepted" | { readonly only: unknown; readonly hint: string };

/** A flag that may be set, but not to true. */
export const onlyFalse: FieldRule = { only: false, hint: "set it to false or remove it" };
/** A flag that may be set, but not to false. */
export const onlyTrue: FieldRule = { only: true, hint: "set it to true or remove it" };

/**
 * Refuses a message in which a field is set that `rules` does not list, so that nothing that would change
 * behaviour is ever ignored, fields of newer versions of the API included.
 */
export function refuseOthers<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
  path: string,
  rules: Readonly<Record<string, FieldRule>>,
): void {
  for (const field of schema.fields) {
    if (isFieldSet(message, field)) checkField(message, field, at(path, field.name), rules[field.name]);
  }
  const unknown = message.$unknown?.[0];
  if (unknown !== undefined) {
    const problem = `${schema.typeName} has a field number ${unknown.no}, which this proxy does not know; upgrade it or remove the field`;
    refuse("MSM_CONFIG_UNKNOWN_FIELD", path, problem);
  }
}

function checkField(message: object, field: DescField, path: string, rule: FieldRule | undefined): void {
  if (rule === "accepted") return;
  if (rule === undefined) {
    refuse("MSM_CONFIG_UNSUPPORTED_FIELD", path, "is not supported by this proxy; remove it");
  }
  if (fieldValue(message, field) !== rule.only) {
    refuse("MSM_CONFIG_UNSUPPORTED_VALUE", path, `has a value that this proxy does not honour; ${rule.hint}`);
  }
}

function fieldValue(message: object, field: DescField): unknown {
  const values = message as Readonly<Record<string, unknown>>;
  if (field.oneof === undefined) return values[field.localName];
  return (values[field.oneof.localName] as { readonly value?: unknown }).value;
}
