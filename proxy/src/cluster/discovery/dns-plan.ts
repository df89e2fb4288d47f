// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { EndpointPlan } from "../../plan.ts";

/** Which addresses of a name are taken; Envoy's `DnsLookupFamily`. */
export type DnsLookupFamily = "AUTO" | "V4_ONLY" | "V6_ONLY" | "V4_PREFERRED" | "ALL";

/** The names of a cluster's endpoints, and how they are looked up; Envoy's STRICT_DNS and LOGICAL_DNS. Plain data. */
export interface DnsPlan {
  /** STRICT takes every address of a name as an endpoint; LOGICAL one, and keeps it while the name has it. */
  readonly kind: "STRICT" | "LOGICAL";
  readonly family: DnsLookupFamily;
  /** Until the next look after an answer. */
  readonly refreshMs: number;
  /** Whether the answer's own time to live is waited instead, where it has one. */
  readonly isTtlRespected: boolean;
  /** Until the next look after a failure: at first, then twice as long each time, and at most. */
  readonly failureBaseMs: number;
  readonly failureMaxMs: number;
  /** DNS servers, `ip:port`; those of the system where there is none. */
  readonly servers: readonly string[];
  /** What `address` is for others is here a name, or an address. */
  readonly endpoints: readonly EndpointPlan[];
}
