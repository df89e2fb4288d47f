// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type Any, AnySchema, type DescMessage, type MessageShape, registry, toJson } from "@msm/xds-protos";
import type { AdminReply } from "./route.ts";

/** A message as JSON with the proto file's field names, as Envoy's admin interface writes it. */
export function protoJson<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): AdminReply {
  const json = toJson(schema, message, { registry, useProtoFieldName: true });
  return { contentType: "application/json", body: `${JSON.stringify(json, null, 1)}\n` };
}

/**
 * The same `Any` if it can be written as JSON. One that holds a type that is not known here, deep inside, or bytes
 * that are no message cannot, and one such must not spoil a whole dump.
 */
export function renderable(any: Any): Any | undefined {
  try {
    toJson(AnySchema, any, { registry });
    return any;
  } catch {
    return undefined;
  }
}
