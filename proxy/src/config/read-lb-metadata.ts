// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { JsonObject, JsonValue } from "@msm/xds-protos";
import type { Metadata } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import type { LbMetadata } from "../cluster/subset-plan.ts";

/** The namespace in which endpoints and routes say what subsets are made of. */
const NAMESPACE = "envoy.lb";

/** What metadata say of subsets; empty where they say nothing. */
export function readLbMetadata(metadata: Metadata | undefined): LbMetadata {
  return toLbMetadata(metadata?.filterMetadata[NAMESPACE]);
}

/** The fields of a struct as subsets compare them. */
export function toLbMetadata(fields: JsonObject | undefined): LbMetadata {
  return Object.fromEntries(Object.entries(fields ?? {}).map(([key, value]) => [key, canonical(value)]));
}

/** Equal values are equal texts, in whatever order their fields stand. */
function canonical(value: JsonValue): string {
  return JSON.stringify(value, (_, inner: JsonValue) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
