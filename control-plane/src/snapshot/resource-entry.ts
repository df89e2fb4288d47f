// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import {
  AnySchema,
  create,
  type DescMessage,
  durationFromMs,
  type Message,
  packAny,
  toBinary,
  typeUrlOf,
} from "@msm/xds-protos";
import { type Resource, ResourceSchema } from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { type ResourceReference, referencesOf } from "./references.ts";
import { canonicalName } from "./resource-name.ts";

/** One xDS resource, encoded once for all the streams that it goes to. */
export interface ResourceEntry {
  readonly typeUrl: string;
  readonly name: string;
  /** Made from the content, so that every replica and every run agree on it. */
  readonly version: string;
  /** Other names by which a client may ask for it. */
  readonly aliases: readonly string[];
  /** A serialised `google.protobuf.Any`, as SotW responses hold it. */
  readonly anyBytes: Uint8Array;
  /** A serialised `envoy.service.discovery.v3.Resource`, as delta responses hold it. */
  readonly deltaBytes: Uint8Array;
  /** Present when the resource expires at clients that hear nothing more of it. */
  readonly ttl?: TimeToLive;
  /** The resources that this one cannot do without. */
  readonly references: readonly ResourceReference[];
  /** Keys of the mesh resources from which it was made. */
  readonly origins: readonly string[];
}

/** The other forms of a resource with a time to live (xds_protocol.rst, "TTL"). */
export interface TimeToLive {
  readonly ms: number;
  /** For state of the world: an `Any` of the `Resource`, in which the time to live has its place. */
  readonly wrappedAny: Uint8Array;
  /** For delta clients that do not know of it. */
  readonly deltaWithout: Uint8Array;
  /** Name, version and time to live alone, for delta: the resource lives on. */
  readonly heartbeat: Uint8Array;
}

/** What a resource may have beside its content. */
export interface EntryOptions {
  /** Keys of what it was made from. */
  readonly origins?: readonly string[];
  /** Lets it expire so many milliseconds after it was last heard of, at clients that understand that. */
  readonly ttlMs?: number;
  /** Other names by which delta clients may ask for it (VHDS does). */
  readonly aliases?: readonly string[];
}

/** Encodes a resource. `message` must be of `schema`. */
export function createEntry(
  schema: DescMessage,
  name: string,
  message: Message,
  options: EntryOptions = {},
): ResourceEntry {
  const { origins = [], ttlMs, aliases = [] } = options;
  const resource = packAny(schema, message);
  const version = contentVersion(resource.value, ttlMs);
  const identity = { name: canonicalName(name), version, aliases: aliases.map(canonicalName) };
  const plain = create(ResourceSchema, { ...identity, resource });
  const entry = {
    ...identity,
    typeUrl: typeUrlOf(schema),
    anyBytes: toBinary(AnySchema, resource),
    deltaBytes: toBinary(ResourceSchema, plain),
    references: referencesOf(message),
    origins,
  };
  if (ttlMs === undefined) return entry;
  const ttl = durationFromMs(ttlMs);
  const full = create(ResourceSchema, { ...identity, resource, ttl });
  const timeToLive: TimeToLive = {
    ms: ttlMs,
    wrappedAny: wrapped(full),
    deltaWithout: entry.deltaBytes,
    heartbeat: toBinary(ResourceSchema, create(ResourceSchema, { ...identity, ttl })),
  };
  return { ...entry, deltaBytes: toBinary(ResourceSchema, full), ttl: timeToLive };
}

/** A short text that changes with the content (and with the time to live): the first 80 bits of its SHA-256. */
export function contentVersion(content: Uint8Array | string, ttlMs?: number): string {
  const hash = createHash("sha256").update(content);
  if (ttlMs !== undefined) hash.update(`ttl ${ttlMs}`);
  return hash.digest("hex").slice(0, 20);
}

/** A heartbeat for state of the world, where a client takes it for one by the response's version (Envoy does). */
export function sotwHeartbeat({ name, ttl }: ResourceEntry, version: string): Uint8Array {
  return wrapped(create(ResourceSchema, { name, version, ttl: durationFromMs(ttl!.ms) }));
}

function wrapped(resource: Resource): Uint8Array {
  return toBinary(AnySchema, packAny(ResourceSchema, resource));
}
