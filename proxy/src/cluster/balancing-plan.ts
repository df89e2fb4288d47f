// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { LeastRequestOptions } from "./least-request.ts";
import type { RingHashOptions } from "./ring-hash.ts";
import type { SlowStart } from "./slow-start.ts";
import type { SubsetPlan } from "./subset-plan.ts";

/** A load-balancing policy with its options, by Envoy's names. */
export type BalancingPolicy =
  | { readonly kind: "ROUND_ROBIN"; readonly slowStart: SlowStart | undefined }
  | ({ readonly kind: "LEAST_REQUEST" } & LeastRequestOptions)
  | { readonly kind: "RANDOM" }
  | ({ readonly kind: "RING_HASH" } & RingHashOptions)
  | { readonly kind: "MAGLEV"; readonly tableSize: number };

/** How new sessions are spread over the endpoints of a cluster. */
export interface BalancingPlan {
  readonly policy: BalancingPolicy;
  /** How the cluster is divided into subsets; not unless said. */
  readonly subsets?: SubsetPlan;
  /** Whether localities share by their weights first, and endpoints by theirs within a locality. */
  readonly isLocalityWeighted: boolean;
  /** Below so many percent of well endpoints, health is not looked at; 0 always looks at it. */
  readonly panicThreshold: number;
  /** Percent: how much more than its share a level of priority may take before the next one helps. */
  readonly overprovisioningFactor: number;
  /** Beyond so many sessions new ones are refused. */
  readonly maxSessions: number;
  /** The same for each endpoint by itself. */
  readonly maxSessionsPerEndpoint: number;
  /** While so many connections to endpoints are being made, new sessions are refused; datagrams make none. */
  readonly maxPending: number;
}

/** What Envoy does of itself; a limit of sessions is set by whoever wants one. */
export const defaultBalancing: BalancingPlan = {
  policy: { kind: "ROUND_ROBIN", slowStart: undefined },
  isLocalityWeighted: false,
  panicThreshold: 50,
  overprovisioningFactor: 140,
  maxSessions: Number.POSITIVE_INFINITY,
  maxSessionsPerEndpoint: Number.POSITIVE_INFINITY,
  maxPending: Number.POSITIVE_INFINITY,
};
