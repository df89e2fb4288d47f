// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { type Any, durationMs, fromBinary, typeUrlOf } from "@msm/xds-protos";
import { ResourceSchema } from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { ConfigError } from "../config-error.ts";

/** A resource of a state-of-the-world response. */
export interface SotwResource {
  /** Empty where it cannot be told. */
  readonly name: string;
  /** Absent in a heartbeat. */
  readonly body?: Any;
  readonly lifetimeMs: number | undefined;
  /** Why it cannot be used. */
  readonly problem?: ConfigError;
}

const WRAPPER = typeUrlOf(ResourceSchema);

/** Takes an entry of a response apart, which is a resource, or a `Resource` that holds one (xds_protocol.rst, "TTL"). */
export function sotwResource(entry: Any, typeUrl: string): SotwResource {
  if (entry.typeUrl !== WRAPPER) return named(entry, typeUrl, undefined);
  try {
    const { name, resource, ttl } = fromBinary(ResourceSchema, entry.value);
    const lifetimeMs = ttl === undefined ? undefined : durationMs(ttl);
    return resource === undefined ? { name, lifetimeMs } : named(resource, typeUrl, lifetimeMs);
  } catch (error) {
    return { name: "", lifetimeMs: undefined, problem: undecodable(error) };
  }
}

function named(body: Any, typeUrl: string, lifetimeMs: number | undefined): SotwResource {
  if (body.typeUrl !== typeUrl) {
    const problem = new ConfigError(
      "MSM_XDS_TYPE",
      "resource",
      `is of type "${body.typeUrl}", not ${typeUrl}`,
    );
    return { name: "", lifetimeMs, problem };
  }
  try {
    return { name: firstField(body.value), body, lifetimeMs };
  } catch (error) {
    return { name: "", lifetimeMs, problem: undecodable(error) };
  }
}

/** The name of a resource: field 1 in each of the types that this proxy takes. */
function firstField(bytes: Uint8Array): string {
  const reader = new BinaryReader(bytes);
  let name = "";
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1 && wireType === WireType.LengthDelimited) name = reader.string();
    else reader.skip(wireType, field);
  }
  return name;
}

function undecodable(error: unknown): ConfigError {
  const reason = error instanceof Error ? error.message : String(error);
  return new ConfigError("MSM_CONFIG_UNDECODABLE", "resource", `cannot be read: ${reason}`);
}
