// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { create, toBinary } from "@msm/xds-protos";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
} from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { type ResourceEntry, sotwHeartbeat } from "../snapshot/resource-entry.ts";
import type { Encoding, Response } from "./protocol.ts";

// Field 2, length-delimited: `resources` in both messages. Fields may come in any order.
const RESOURCES_TAG = 0x12;

type Part = (entry: ResourceEntry) => Uint8Array;

const DELTA: Part = ({ deltaBytes, ttl }) => (ttl === undefined ? deltaBytes : ttl.deltaWithout);
const DELTA_TTL: Part = ({ deltaBytes }) => deltaBytes;
const SOTW: Part = ({ anyBytes }) => anyBytes;
const SOTW_TTL: Part = ({ anyBytes, ttl }) => (ttl === undefined ? anyBytes : ttl.wrappedAny);

/** The bytes of a `DeltaDiscoveryResponse`, put together from entries that are encoded already. */
export function encodeDeltaResponse(response: Response, encoding: Encoding): Uint8Array {
  if (response.isHeartbeat) {
    return withResources(deltaHead(response, encoding), response.entries, ({ ttl }) => ttl!.heartbeat);
  }
  return encodeOnce(response, encoding, deltaHead, encoding.usesTtl ? DELTA_TTL : DELTA);
}

/** The bytes of a `DiscoveryResponse`, put together from entries that are encoded already. */
export function encodeSotwResponse(response: Response, encoding: Encoding): Uint8Array {
  const { entries, version, isHeartbeat } = response;
  if (isHeartbeat) {
    return withResources(sotwHead(response, encoding), entries, (entry) => sotwHeartbeat(entry, version));
  }
  return encodeOnce(response, encoding, sotwHead, encoding.usesTtl ? SOTW_TTL : SOTW);
}

type Head = (response: Response, encoding: Encoding) => Uint8Array;

const deltaHead: Head = ({ typeUrl, nonce, version, removed }, { identifier }) => {
  const fields = { typeUrl, nonce, systemVersionInfo: version, removedResources: [...removed] };
  const message = create(DeltaDiscoveryResponseSchema, { ...fields, ...controlPlane(identifier) });
  return toBinary(DeltaDiscoveryResponseSchema, message);
};

const sotwHead: Head = ({ typeUrl, nonce, version }, { identifier }) => {
  const fields = { typeUrl, nonce, versionInfo: version };
  const message = create(DiscoveryResponseSchema, { ...fields, ...controlPlane(identifier) });
  return toBinary(DiscoveryResponseSchema, message);
};

/** The newest response with a list of entries. */
interface Written {
  readonly response: Response;
  readonly identifier: string;
  readonly whole: Uint8Array;
  readonly headLength: number;
}

// By how entries are written and by their list, which lives as long as a snapshot or an unanswered response has it.
const written = new Map(
  [DELTA, DELTA_TTL, SOTW, SOTW_TTL].map((part) => [part, new WeakMap<readonly ResourceEntry[], Written>()]),
);

// Streams with the same past are sent the same bytes: they are put together once, however many those are.
function encodeOnce(response: Response, encoding: Encoding, headOf: Head, part: Part): Uint8Array {
  const memory = written.get(part)!;
  const before = memory.get(response.entries);
  const { identifier } = encoding;
  if (before !== undefined && before.identifier === identifier && isSameHead(before.response, response)) {
    return before.whole;
  }
  const head = headOf(response, encoding);
  const whole =
    before === undefined
      ? withResources(head, response.entries, part)
      : Buffer.concat([head, before.whole.subarray(before.headLength)]);
  memory.set(response.entries, { response, identifier, whole, headLength: head.length });
  return whole;
}

function isSameHead(left: Response, right: Response): boolean {
  const isSame =
    left.nonce === right.nonce && left.version === right.version && left.typeUrl === right.typeUrl;
  return isSame && left.removed.length === 0 && right.removed.length === 0;
}

function withResources(head: Uint8Array, entries: readonly ResourceEntry[], part: Part): Uint8Array {
  const parts = [head];
  for (const entry of entries) {
    const bytes = part(entry);
    parts.push(Uint8Array.from(fieldHead(bytes.length)), bytes);
  }
  return Buffer.concat(parts);
}

function controlPlane(identifier: string): { controlPlane?: { identifier: string } } {
  return identifier === "" ? {} : { controlPlane: { identifier } };
}

// The tag and the length as a base-128 varint, the lowest seven bits first.
function fieldHead(length: number): number[] {
  const bytes = [RESOURCES_TAG];
  let rest = length;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return bytes;
}
