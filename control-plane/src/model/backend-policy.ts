// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import type { FieldPath } from "../refusal.ts";
import { checkHealthCheck, healthCheckPolicy } from "./health-check-policy.ts";
import { outlierPolicy } from "./outlier-policy.ts";
import { upToADay } from "./policy-durations.ts";
import type { Refuse } from "./problem.ts";

const byteCount = z.int().min(0).max(1024);

const hashOn = z.strictObject({
  type: z.enum(["SourceAddress", "Header", "URL", "FilterState", "FirstDatagram"]),
  /** Of the header, or of the filter state. */
  name: z.string().min(1).max(256).optional(),
  /** Which bytes of the first datagram. */
  offset: byteCount.optional(),
  length: byteCount.min(1).optional(),
});

/** What sessions are told apart by, so that those that are alike meet at one endpoint. */
export type HashOn = Readonly<z.output<typeof hashOn>>;

const limit = z.int().min(1).max(4_294_967_295).optional();

/** How the endpoints of a backend are chosen, checked and left. What is not said is Envoy's default. */
export const backendPolicy = z.strictObject({
  balancing: z
    .enum(["RoundRobin", "LeastRequest", "LeastBits", "Random", "RingHash", "Maglev"])
    .default("RoundRobin"),
  /** For RingHash and Maglev; SourceAddress unless said. */
  hashOn: hashOn.optional(),
  /** How long a new endpoint takes to get its full share: for RoundRobin, LeastRequest and LeastBits. */
  slowStart: upToADay.optional(),
  /** Sessions beyond these are refused. */
  limits: z.strictObject({ sessions: limit, sessionsPerEndpoint: limit }).optional(),
  /** For how long an endpoint that is taken out keeps its sessions. */
  drainLinger: upToADay.optional(),
  healthCheck: healthCheckPolicy.optional(),
  /** What takes an endpoint out for a while. */
  outlierDetection: outlierPolicy.optional(),
});

/** The same after every check; durations are in milliseconds. */
export type BackendPolicy = Readonly<z.output<typeof backendPolicy>>;

/** Refuses what contradicts itself in the policy that stands at `path`. */
export function checkPolicy(policy: BackendPolicy, path: FieldPath, refuse: Refuse): void {
  const { balancing, hashOn: hash, slowStart, healthCheck } = policy;
  const isHashed = balancing === "RingHash" || balancing === "Maglev";
  if (hash !== undefined && !isHashed) {
    const message = `${balancing} hashes nothing; remove it or write RingHash or Maglev`;
    refuse("MSM_POLICY_CONFLICT", [...path, "hashOn"], message);
  }
  if (slowStart !== undefined && (isHashed || balancing === "Random")) {
    const message = `${balancing} has no slow start; remove it or write RoundRobin or LeastRequest`;
    refuse("MSM_POLICY_CONFLICT", [...path, "slowStart"], message);
  }
  if (hash !== undefined) checkHash(hash, [...path, "hashOn"], refuse);
  if (healthCheck !== undefined) checkHealthCheck(healthCheck, [...path, "healthCheck"], refuse);
}

/** What the policy hashes; undefined where it does not. */
export function hashOf(policy: BackendPolicy | undefined): HashOn | undefined {
  if (policy?.balancing !== "RingHash" && policy?.balancing !== "Maglev") return undefined;
  return policy.hashOn ?? { type: "SourceAddress" };
}

function checkHash({ type, name, offset, length }: HashOn, path: FieldPath, refuse: Refuse): void {
  const isNamed = type === "Header" || type === "FilterState";
  if (isNamed !== (name !== undefined)) {
    const message = isNamed ? `${type} needs one` : `is not for ${type}; remove it`;
    refuse("MSM_POLICY_CONFLICT", [...path, "name"], message);
  }
  const isBytes = type === "FirstDatagram";
  if (isBytes && length === undefined) {
    refuse(
      "MSM_POLICY_CONFLICT",
      [...path, "length"],
      "FirstDatagram needs it: how many bytes are looked at",
    );
  }
  const stray = !isBytes && (offset !== undefined ? "offset" : length !== undefined ? "length" : undefined);
  if (stray) refuse("MSM_POLICY_CONFLICT", [...path, stray], `is not for ${type}; remove it`);
}
