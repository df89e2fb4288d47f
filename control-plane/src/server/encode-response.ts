// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { create, toBinary } from "@msm/xds-protos";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
} from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import type { Response } from "./protocol.ts";

// Field 2, length-delimited: `resources` in both messages. Fields may come in any order.
const RESOURCES_TAG = 0x12;

/** The bytes of a `DeltaDiscoveryResponse`, put together from entries that are encoded already. */
export function encodeDeltaResponse({ typeUrl, nonce, version, entries, removed }: Response): Uint8Array {
  const head = create(DeltaDiscoveryResponseSchema, {
    typeUrl,
    nonce,
    systemVersionInfo: version,
    removedResources: [...removed],
  });
  return withResources(
    toBinary(DeltaDiscoveryResponseSchema, head),
    entries.map((entry) => entry.deltaBytes),
  );
}

/** The bytes of a `DiscoveryResponse`, put together from entries that are encoded already. */
export function encodeSotwResponse({ typeUrl, nonce, version, entries }: Response): Uint8Array {
  const head = create(DiscoveryResponseSchema, { typeUrl, nonce, versionInfo: version });
  return withResources(
    toBinary(DiscoveryResponseSchema, head),
    entries.map((entry) => entry.anyBytes),
  );
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
