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

/** The bytes of a `DeltaDiscoveryResponse`, put together from entries that are encoded already. */
export function encodeDeltaResponse(response: Response, { identifier, usesTtl }: Encoding): Uint8Array {
  const { typeUrl, nonce, version, entries, removed, isHeartbeat } = response;
  const head = create(DeltaDiscoveryResponseSchema, {
    typeUrl,
    nonce,
    systemVersionInfo: version,
    removedResources: [...removed],
    ...controlPlane(identifier),
  });
  const bytesOf = ({ deltaBytes, ttl }: ResourceEntry): Uint8Array => {
    if (isHeartbeat) return ttl!.heartbeat;
    return usesTtl || ttl === undefined ? deltaBytes : ttl.deltaWithout;
  };
  return withResources(toBinary(DeltaDiscoveryResponseSchema, head), entries.map(bytesOf));
}

/** The bytes of a `DiscoveryResponse`, put together from entries that are encoded already. */
export function encodeSotwResponse(response: Response, { identifier, usesTtl }: Encoding): Uint8Array {
  const { typeUrl, nonce, version, entries, isHeartbeat } = response;
  const head = create(DiscoveryResponseSchema, {
    typeUrl,
    nonce,
    versionInfo: version,
    ...controlPlane(identifier),
  });
  const bytesOf = (entry: ResourceEntry): Uint8Array => {
    const { anyBytes, ttl } = entry;
    if (isHeartbeat) return sotwHeartbeat(entry, version);
    return usesTtl && ttl !== undefined ? ttl.wrappedAny : anyBytes;
  };
  return withResources(toBinary(DiscoveryResponseSchema, head), entries.map(bytesOf));
}

function controlPlane(identifier: string): { controlPlane?: { identifier: string } } {
  return identifier === "" ? {} : { controlPlane: { identifier } };
}

function withResources(head: Uint8Array, resources: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [head];
  for (const resource of resources) parts.push(Uint8Array.from(fieldHead(resource.length)), resource);
  return Buffer.concat(parts);
}

// The tag and the length as a base-128 varint, the lowest seven bits first.
function fieldHead(length: number): number[] {
  const bytes = [RESOURCES_TAG];
  let rest = length;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return bytes;
}
