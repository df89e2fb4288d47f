// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { validate } from "@msm/xds-protos";
import { at, refuse } from "./refuse.ts";

/** The message name in a type URL: what follows the last slash. */
export function typeNameOf(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf("/") + 1);
}

/**
 * Decodes an `Any` that must hold a message of this type, and checks it by the rules of Envoy's API.
 * Throws a `ConfigError`, whatever the bytes are.
 */
export function unpack<Desc extends DescMessage>(
  schema: Desc,
  any: Any | undefined,
  path: string,
): MessageShape<Desc> {
  if (any === undefined) refuse("MSM_CONFIG_MISSING", path, `is needed; give a ${schema.typeName}`);
  if (typeNameOf(any.typeUrl) !== schema.typeName) {
    refuse(
      "MSM_CONFIG_TYPE",
      path,
      `is of type "${any.typeUrl}"; this proxy takes a ${schema.typeName} here`,
    );
  }
  const message = decode(schema, any.value, path);
  checkRules(schema, message, path);
  return message;
}

/** Checks a message by the rules that Envoy's API states (`validate.rules`). Throws a `ConfigError`. */
export function checkRules<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
  path: string,
): void {
  const violation = validate(schema, message)[0];
  if (violation !== undefined) {
    refuse("MSM_CONFIG_INVALID", violation.path === "" ? path : at(path, violation.path), violation.message);
  }
}

function decode<Desc extends DescMessage>(schema: Desc, value: Uint8Array, path: string): MessageShape<Desc> {
  try {
    return fromBinary(schema, value);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return refuse("MSM_CONFIG_UNDECODABLE", path, `is not a ${schema.typeName}: ${reason}`);
  }
}
