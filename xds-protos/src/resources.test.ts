// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { type DescMessage, fromBinary, fromJson, type JsonValue, toBinary, toJson } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { registry } from "../gen/descriptors.js";
import { validate } from "./validate/validate.ts";

const text = readFileSync(new URL("../fixtures/resources.json", import.meta.url), "utf8");
const resources = Object.entries(JSON.parse(text) as Readonly<Record<string, JsonValue>>);

function schemaOf(typeName: string): DescMessage {
  const schema = registry.getMessage(typeName);
  if (schema === undefined) throw new Error(`${typeName} is not in the registry`);
  return schema;
}

test.each(resources)("%s of our fixture comes back unchanged from JSON and from binary", (typeName, json) => {
  const schema = schemaOf(typeName);
  const message = fromJson(schema, json, { registry });
  expect(toJson(schema, message, { registry, useProtoFieldName: true })).toEqual(json);
  expect(fromBinary(schema, toBinary(schema, message))).toEqual(message);
});

test.each(resources)("%s of our fixture is valid by Envoy's rules", (typeName, json) => {
  const schema = schemaOf(typeName);
  expect(validate(schema, fromJson(schema, json, { registry }))).toEqual([]);
});
