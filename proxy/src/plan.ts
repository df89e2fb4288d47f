// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { BalancingPlan } from "./cluster/balancing-plan.ts";
import type { HealthCheckPlan } from "./cluster/health-check-plan.ts";
import type { CheckTarget } from "./cluster/health-checker.ts";
import type { EndpointHealth } from "./cluster/load-balancer.ts";
import type { OutlierPlan } from "./cluster/outlier-plan.ts";

/**
 * What a proxy should do, after every check: the form in which configuration reaches the datapath, wherever it
 * came from. Plans are immutable, cheap to clone to a worker, and share structure: an object that is identical
 * (`===`) to the one of the plan before has not changed.
 */
export interface Plan {
  readonly listeners: readonly ListenerPlan[];
  readonly clusters: readonly ClusterPlan[];
}

/** An IP address in text form and a UDP port. Port 0 asks the kernel for one. */
export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

/** A UDP listener with its `udp_proxy`. */
export interface ListenerPlan {
  readonly name: string;
  readonly address: SocketAddress;
  /** `stat_prefix` of the udp_proxy: the name in its statistics. */
  readonly statPrefix: string;
  /** The cluster to which new sessions go. */
  readonly cluster: string;
  /** What RING_HASH and MAGLEV hash; without it they choose by lot. */
  readonly hashPolicy?: HashPolicy;
  /** A session without a datagram either way for so long is closed. */
  readonly idleTimeoutMs: number;
  /** Larger datagrams are dropped and counted; 1 to 65,535 bytes. */
  readonly maxRxDatagramBytes: number;
  /** Whether the kernel may hand over runs of datagrams at once (UDP_GRO). */
  readonly preferGro: boolean;
  /** The session filters, in the order in which a datagram from downstream meets them. */
  readonly filters: readonly FilterPlan[];
}

/** What happens to datagrams when a filter fails; `envoy.extensions.wasm.v3.FailurePolicy`. */
export type FailurePolicy = "FAIL_CLOSED" | "FAIL_OPEN";

/** A filter with its configuration. The module was compiled, checked and tried before it gets here. */
export interface FilterPlan {
  /** Name in the chain; of the ECDS resource where it came as one. */
  readonly name: string;
  readonly rootId: string;
  readonly vmId: string;
  readonly module: WebAssembly.Module;
  /** SHA-256 of the module's bytes, lower-case hexadecimal. */
  readonly digest: string;
  readonly configuration: Uint8Array;
  readonly vmConfiguration: Uint8Array;
  readonly failurePolicy: FailurePolicy;
}

/** By what the sessions of a listener are told apart for RING_HASH and MAGLEV; Envoy's `UdpProxyConfig.HashPolicy`. */
export type HashPolicy =
  | { readonly kind: "SOURCE_IP" }
  /** The same for every session of the listener. */
  | { readonly kind: "KEY"; readonly key: string };

/** Where sessions of a listener may go. */
export interface ClusterPlan {
  readonly name: string;
  readonly endpoints: readonly EndpointPlan[];
  /** `defaultBalancing` unless said. */
  readonly balancing?: BalancingPlan;
  /** Every one of them must succeed; endpoints are not checked unless said. */
  readonly healthChecks?: readonly HealthCheckPlan[];
  /** When endpoints are taken out for errors of their sessions; never unless said. */
  readonly outliers?: OutlierPlan;
  /** For how long an endpoint that is taken out keeps the sessions that it has; 0, not at all, unless said. */
  readonly drainLingerMs?: number;
}

/** One upstream endpoint. One that takes no new sessions stays in the plan for those that it has. */
export interface EndpointPlan {
  readonly address: string;
  readonly port: number;
  /** HEALTHY unless said. */
  readonly health?: EndpointHealth;
  /** Why it is UNHEALTHY, where EDS does not say so. */
  readonly failed?: "ACTIVE_CHECK" | "OUTLIER";
  /** Its share relative to the others; 1 unless said. */
  readonly weight?: number;
  /** Level of priority; 0, the first to be used, unless said. */
  readonly priority?: number;
  /** Number of its locality in the cluster, and that locality's weight; 0 and 1 unless said. */
  readonly locality?: number;
  readonly localityWeight?: number;
  /** Where and as whom health checks ask it; at its own address unless said. */
  readonly check?: CheckTarget & { readonly isDisabled: boolean };
}

/** Why a part of a plan could not be put into effect: a bind that failed, for example. */
export interface PlanRejection {
  readonly listener: string;
  readonly error: Error;
}
