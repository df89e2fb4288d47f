// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { JsonValue } from "@msm/xds-protos";
import type { Metadata } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import type { HashPolicy } from "../plan.ts";
import { at, refuse } from "./refuse.ts";

const NAMESPACE = "io.mediastreamingmesh.hash";
const FIELDS = ["first_datagram", "session_key"];
/** Beyond it no header of a media protocol is. */
const MOST_BYTES = 1024;

/**
 * Reads `metadata.filter_metadata["io.mediastreamingmesh.hash"]` of a UDP listener: what sessions are told apart by that
 * Envoy's udp_proxy has no field for; undefined where it is not there. Throws a `ConfigError`.
 */
export function readListenerHash(
  metadata: Metadata | undefined,
  metadataPath: string,
  hasHashPolicies: boolean,
): HashPolicy | undefined {
  const ours = metadata?.filterMetadata[NAMESPACE];
  if (ours === undefined) return undefined;
  const path = at(metadataPath, `filter_metadata["${NAMESPACE}"]`);
  if (hasHashPolicies)
    refuse("MSM_LISTENER_HASH", path, "cannot stand beside hash_policies; keep one of them");
  const [name, ...others] = Object.keys(ours);
  if (name === undefined || !FIELDS.includes(name) || others.length > 0) {
    return refuse("MSM_LISTENER_HASH", path, `must have one field, ${FIELDS.join(" or ")}`);
  }
  if (name === "session_key") {
    if (ours[name] !== true) refuse("MSM_LISTENER_HASH", at(path, name), "must be true");
    return { kind: "SESSION_KEY" };
  }
  const field = at(path, name);
  const { offset = 0, length, ...rest } = asObject(ours[name]);
  if (Object.keys(rest).length > 0 || !isWhole(offset, 0) || !isWhole(length, 1)) {
    const problem = `must have a length of 1 to ${MOST_BYTES} bytes, and may have an offset of at most ${MOST_BYTES}`;
    return refuse("MSM_LISTENER_HASH", field, problem);
  }
  return { kind: "FIRST_DATAGRAM", offset, length };
}

function asObject(value: JsonValue | undefined): Readonly<Record<string, JsonValue>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

function isWhole(value: JsonValue | undefined, least: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= MOST_BYTES;
}
