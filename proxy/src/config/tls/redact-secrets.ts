// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type DescField, getOption, type Message, ScalarType } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { type Any, AnySchema, packAny, registry, unpackAny } from "@msm/xds-protos";
import { sensitive } from "@msm/xds-protos/udpa/annotations/sensitive_pb.js";

/** What stands in place of a secret, as in Envoy's `/config_dump`. */
const REDACTED = "[redacted]";
const REDACTED_BYTES = new TextEncoder().encode(REDACTED);
/** Deeper nesting than any configuration has; a hostile one must not exhaust the stack. */
const MAX_DEPTH = 32;

/**
 * The same resource without what Envoy's API marks as sensitive (`udpa.annotations.sensitive`): private keys, passwords
 * and the like. It is what the admin interface shows, and what is kept. A resource that cannot be read as what it says
 * to be comes back empty.
 */
export function redactSecrets(any: Any): Any {
  return redactAny(any, 0);
}

function redactAny(any: Any, depth: number): Any {
  if (depth > MAX_DEPTH) return emptied(any);
  let message: Message | undefined;
  try {
    message = unpackAny(any);
  } catch {
    return emptied(any);
  }
  const schema = message && registry.getMessage(message.$typeName);
  // What nobody here knows the type of, nobody here can show either but as bytes.
  if (message === undefined || schema === undefined) return emptied(any);
  return redactMessage(reflect(schema, message), false, depth) ? packAny(schema, message) : any;
}

function emptied({ typeUrl, $typeName }: Any): Any {
  return { $typeName, typeUrl, value: new Uint8Array(0) };
}

/** Changes the message in place; returns whether there was anything to change. */
function redactMessage(view: ReflectMessage, isSecret: boolean, depth: number): boolean {
  if (view.desc.typeName === AnySchema.typeName) return redactInside(view.message as Any, depth);
  let changed = view.getUnknown() !== undefined && isSecret;
  if (changed) view.setUnknown([]);
  for (const field of view.fields) {
    if (view.isSet(field))
      changed = redactField(view, field, isSecret || isSensitive(field), depth) || changed;
  }
  return changed;
}

function redactInside(any: Any, depth: number): boolean {
  const redacted = redactAny(any, depth + 1);
  if (redacted === any) return false;
  any.value = redacted.value;
  return true;
}

function redactField(view: ReflectMessage, field: DescField, isSecret: boolean, depth: number): boolean {
  const children = childrenOf(view, field);
  if (children !== undefined && depth < MAX_DEPTH) {
    return children.map((child) => redactMessage(child, isSecret, depth + 1)).includes(true);
  }
  if (!isSecret && depth < MAX_DEPTH) return false;
  const isText = field.fieldKind === "scalar" && field.scalar === ScalarType.STRING;
  const isBytes = field.fieldKind === "scalar" && field.scalar === ScalarType.BYTES;
  if (isText) view.set(field, REDACTED);
  else if (isBytes) view.set(field, REDACTED_BYTES);
  else view.clear(field);
  return true;
}

/** The messages in a field; undefined for a field of anything else. */
function childrenOf(view: ReflectMessage, field: DescField): readonly ReflectMessage[] | undefined {
  if (field.fieldKind === "message") return [view.get(field)];
  if (field.fieldKind === "list" && field.listKind === "message") {
    return [...view.get(field)] as readonly ReflectMessage[];
  }
  if (field.fieldKind === "map" && field.mapKind === "message") {
    return [...view.get(field).values()] as readonly ReflectMessage[];
  }
  return undefined;
}

function isSensitive(field: DescField): boolean {
  return getOption(field, sensitive);
}
