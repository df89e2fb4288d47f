// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { type DescMessage, isMessage, type Message, type MessageShape } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { type Any, AnySchema, packAny, registry, unpackAny } from "@msm/xds-protos";
import { DataSourceSchema } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";

/** Inline bytes up to this size are kept; a module is never so small. */
const SHORT_BYTES = 64;
/** Deeper nesting than any configuration has; a hostile one must not exhaust the stack. */
const MAX_DEPTH = 32;

/**
 * The same resource without the bytes of modules: `inline_bytes` become an `inline_string` that tells size and
 * digest. It is what the admin interface shows, and what is kept.
 */
export function elideCode(any: Any): Any {
  return elideAny(any, 0);
}

function elideAny(any: Any, depth: number): Any {
  const message = depth > MAX_DEPTH ? undefined : tryUnpack(any);
  const schema = message === undefined ? undefined : registry.getMessage(message.$typeName);
  if (message === undefined || schema === undefined) return any;
  return elideMessage(schema, message, depth) ? packAny(schema, message) : any;
}

/** Changes the message in place; returns whether there was anything to change. */
function elideMessage(schema: DescMessage, message: Message, depth: number): boolean {
  if (depth > MAX_DEPTH) return false;
  if (isMessage(message, DataSourceSchema)) return elideSource(message);
  let changed = false;
  const view = reflect(schema, message);
  for (const field of schema.fields) {
    if (field.message === undefined || field.fieldKind === "map" || !view.isSet(field)) continue;
    for (const child of childrenOf(message, field.oneof?.localName, field.localName)) {
      changed = elideChild(field.message, child, depth + 1) || changed;
    }
  }
  return changed;
}

function elideChild(schema: DescMessage, child: Message, depth: number): boolean {
  if (!isMessage(child, AnySchema)) return elideMessage(schema, child, depth);
  const elided = elideAny(child, depth);
  if (elided === child) return false;
  child.value = elided.value;
  return true;
}

function childrenOf(message: Message, oneof: string | undefined, field: string): readonly Message[] {
  const values = message as unknown as Readonly<Record<string, unknown>>;
  const value = oneof === undefined ? values[field] : (values[oneof] as { readonly value: unknown }).value;
  const children = Array.isArray(value) ? value : [value];
  // Fields of type Struct hold plain JSON, and wrappers plain values.
  return children.filter(
    (child): child is Message => typeof child === "object" && child !== null && "$typeName" in child,
  );
}

function elideSource(source: MessageShape<typeof DataSourceSchema>): boolean {
  if (source.specifier.case !== "inlineBytes" || source.specifier.value.length <= SHORT_BYTES) return false;
  const bytes = source.specifier.value;
  const digest = createHash("sha256").update(bytes).digest("hex");
  source.specifier = { case: "inlineString", value: `[${bytes.length} bytes, sha256 ${digest}]` };
  return true;
}

function tryUnpack(any: Any): Message | undefined {
  try {
    return unpackAny(any);
  } catch {
    return undefined;
  }
}
