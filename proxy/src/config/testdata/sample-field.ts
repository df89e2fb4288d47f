// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import type { JsonValue } from "@msm/xds-protos";

/** A value other than the one that counts as not set, for a field in JSON. */
export function sampleField(field: DescField): JsonValue {
  switch (field.fieldKind) {
    case "list":
      return [
        field.listKind === "message" ? sampleMessage(field.message) : field.listKind === "enum" ? 1 : "1",
      ];
    case "map":
      return { "1": field.mapKind === "message" ? sampleMessage(field.message) : "1" };
    case "message":
      return sampleMessage(field.message);
    case "enum":
      return field.enum.values[1]?.number ?? 0;
    case "scalar":
      return field.scalar === ScalarType.BOOL ? true : field.scalar === ScalarType.STRING ? "a" : "1";
  }
}

const KNOWN: Readonly<Record<string, JsonValue>> = {
  "google.protobuf.Duration": "1s",
  "google.protobuf.BoolValue": true,
  "google.protobuf.StringValue": "a",
  "google.protobuf.Any": { "@type": "type.googleapis.com/google.protobuf.Struct", value: {} },
};

function sampleMessage({ typeName }: DescMessage): JsonValue {
  return KNOWN[typeName] ?? (typeName.endsWith("Value") && typeName.startsWith("google.") ? 1 : {});
}
