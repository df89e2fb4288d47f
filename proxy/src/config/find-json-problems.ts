// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import {
  type DescField,
  type DescMessage,
  fromJson,
  type JsonObject,
  type JsonValue,
} from "@bufbuild/protobuf";
import { AnySchema, registry } from "@msm/xds-protos";
import { typeNameOf } from "./unpack.ts";

/** A place in a JSON document that does not fit its message. */
export interface JsonProblem {
  readonly path: string;
  readonly reason: string;
}

/**
 * Finds out why a JSON document is not a message of a type: each field that cannot be decoded, by its path. The
 * decoder itself is the judge, asked about ever smaller parts, since it tells the type of what it cannot decode
 * but not the place.
 */
export function findJsonProblems(schema: DescMessage, json: JsonValue, path = ""): readonly JsonProblem[] {
  const reason = whyNot(schema, json);
  if (reason === undefined) return [];
  if (!isObject(json)) return [{ path, reason }];
  if (schema.typeName === AnySchema.typeName) return findInAny(json, path, reason);
  // The other well-known types have JSON forms of their own.
  if (schema.typeName.startsWith("google.protobuf.")) return [{ path, reason }];
  const inside = Object.entries(json).flatMap(([key, value]) =>
    findInField(schema, key, value, join(path, key)),
  );
  return inside.length > 0 ? inside : [{ path, reason }];
}

function findInAny(json: JsonObject, path: string, reason: string): readonly JsonProblem[] {
  const { "@type": typeUrl, ...fields } = json;
  const schema = typeof typeUrl === "string" ? registry.getMessage(typeNameOf(typeUrl)) : undefined;
  if (schema === undefined) {
    const problem = `must be the type URL of a message of Envoy's API, not ${JSON.stringify(typeUrl)}`;
    return [{ path: join(path, "@type"), reason: problem }];
  }
  const inside = findJsonProblems(schema, fields, path);
  return inside.length > 0 ? inside : [{ path, reason }];
}

function findInField(
  schema: DescMessage,
  key: string,
  value: JsonValue,
  path: string,
): readonly JsonProblem[] {
  const reason = whyNot(schema, { [key]: value });
  if (reason === undefined) return [];
  const field = schema.fields.find(({ name, jsonName }) => name === key || jsonName === key);
  if (field === undefined)
    return [{ path, reason: `is not a field of ${schema.typeName}; check its spelling and its indentation` }];
  const inside = findInValue(field, value, path);
  return inside.length > 0 ? inside : [{ path, reason }];
}

function findInValue(field: DescField, value: JsonValue, path: string): readonly JsonProblem[] {
  const schema = field.message;
  if (schema === undefined) return [];
  if (field.fieldKind === "message") return findJsonProblems(schema, value, path);
  if (field.fieldKind === "list" && Array.isArray(value)) {
    return value.flatMap((item, index) => findJsonProblems(schema, item, `${path}[${index}]`));
  }
  if (field.fieldKind === "map" && isObject(value)) {
    return Object.entries(value).flatMap(([key, item]) => findJsonProblems(schema, item, join(path, key)));
  }
  return [];
}

/** Why a part cannot be decoded, without the decoder's preamble; undefined where it can. */
function whyNot(schema: DescMessage, json: JsonValue): string | undefined {
  try {
    fromJson(schema, json, { registry });
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return message.replace(/^.*from JSON: /s, "");
  }
}

function isObject(json: JsonValue): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}
