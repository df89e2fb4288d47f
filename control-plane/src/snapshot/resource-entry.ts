// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import {
  AnySchema,
  create,
  type DescMessage,
  type Message,
  packAny,
  toBinary,
  typeUrlOf,
} from "@msm/xds-protos";
import { ResourceSchema } from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { type ResourceReference, referencesOf } from "./references.ts";

/** One xDS resource, encoded once for all the streams that it goes to. */
export interface ResourceEntry {
  readonly typeUrl: string;
  readonly name: string;
  /** Made from the content, so that every replica and every run agree on it. */
  readonly version: string;
  /** A serialised `google.protobuf.Any`, as SotW responses hold it. */
  readonly anyBytes: Uint8Array;
  /** A serialised `envoy.service.discovery.v3.Resource`, as delta responses hold it. */
  readonly deltaBytes: Uint8Array;
  /** The resources that this one cannot do without. */
  readonly references: readonly ResourceReference[];
  /** Keys of the mesh resources from which it was made. */
  readonly origins: readonly string[];
}

/** Encodes a resource. `message` must be of `schema`. */
export function createEntry(
  schema: DescMessage,
  name: string,
  message: Message,
  origins: readonly string[],
): ResourceEntry {
  const resource = packAny(schema, message);
  const version = contentVersion(resource.value);
  return {
    typeUrl: typeUrlOf(schema),
    name,
    version,
    anyBytes: toBinary(AnySchema, resource),
    deltaBytes: toBinary(ResourceSchema, create(ResourceSchema, { name, version, resource })),
    references: referencesOf(message),
    origins,
  };
}

/** A short text that changes with the content: the first 80 bits of its SHA-256. */
export function contentVersion(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 20);
}
