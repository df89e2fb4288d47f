// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { DescMessage, Message, MessageShape } from "@bufbuild/protobuf";
import { type Any, anyPack, anyUnpack } from "@bufbuild/protobuf/wkt";
import { registry } from "../gen/descriptors.js";

/** Puts a message into an `Any` whose type URL begins with `type.googleapis.com/`. */
export function packAny<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Any {
  return anyPack(schema, message);
}

/**
 * Takes the message out of an `Any`. Returns undefined if its type is not in the registry (or not said at all);
 * throws an Error if the type is known and the bytes are not a message of it.
 */
export function unpackAny(any: Any): Message | undefined {
  return anyUnpack(any, registry);
}
