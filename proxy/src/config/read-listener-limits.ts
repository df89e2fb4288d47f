// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Metadata } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import type { ListenerLimits } from "../datapath/listener-limits.ts";
import { at, refuse } from "./refuse.ts";

const NAMESPACE = "io.mediastreamingmesh.limits";
const NUMBERS = {
  max_sessions: "maxSessions",
  max_sessions_per_source: "maxSessionsPerSource",
  datagrams_per_second: "datagramsPerSecond",
  datagrams_per_second_per_source: "datagramsPerSecondPerSource",
} as const;
const DRAIN = "drain";
const MOST = 1_000_000_000;

/**
 * Reads `metadata.filter_metadata["io.mediastreamingmesh.limits"]` of a UDP listener, since Envoy has no fields for
 * these; undefined where it is not there. Throws a `ConfigError`.
 */
export function readListenerLimits(
  metadata: Metadata | undefined,
  metadataPath: string,
): ListenerLimits | undefined {
  const ours = metadata?.filterMetadata[NAMESPACE];
  if (ours === undefined) return undefined;
  const path = at(metadataPath, `filter_metadata["${NAMESPACE}"]`);
  const fields = [...Object.keys(NUMBERS), DRAIN];
  const unknown = Object.keys(ours).find((name) => !fields.includes(name));
  if (unknown !== undefined)
    refuse("MSM_LISTENER_LIMITS", at(path, unknown), `must be ${fields.join(" or ")}`);
  const limits: { -readonly [Name in keyof ListenerLimits]: ListenerLimits[Name] } = {};
  for (const [name, property] of Object.entries(NUMBERS)) {
    const value = ours[name];
    if (value === undefined) continue;
    if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > MOST)
      refuse("MSM_LISTENER_LIMITS", at(path, name), `must be a whole number from 1 to ${MOST}`);
    limits[property] = value;
  }
  const drain = ours[DRAIN] ?? false;
  if (typeof drain !== "boolean") refuse("MSM_LISTENER_LIMITS", at(path, DRAIN), "must be true or false");
  return drain ? { ...limits, isDraining: true } : limits;
}

/** Refuses such limits where they would limit nothing. Throws a `ConfigError`. */
export function refuseListenerLimits(metadata: Metadata | undefined, metadataPath: string): void {
  if (metadata?.filterMetadata[NAMESPACE] === undefined) return;
  const path = at(metadataPath, `filter_metadata["${NAMESPACE}"]`);
  refuse("MSM_LISTENER_LIMITS", path, "is for UDP listeners; SignallingProxy has max_connections");
}
