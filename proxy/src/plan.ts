// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { PluginConfig } from "@msm/xds-protos/envoy/extensions/wasm/v3/wasm_pb.js";
import type { BalancingPlan } from "./cluster/balancing-plan.ts";
import type { DnsPlan } from "./cluster/discovery/dns-plan.ts";
import type { HealthCheckPlan } from "./cluster/health-check-plan.ts";
import type { CheckTarget } from "./cluster/health-checker.ts";
import type { EndpointHealth } from "./cluster/load-balancer.ts";
import type { OutlierPlan } from "./cluster/outlier-plan.ts";
import type { SessionRouting } from "./cluster/session-rule.ts";
import type { LbMetadata } from "./cluster/subset-plan.ts";
import type { ListenerLimits } from "./datapath/listener-limits.ts";
import type { RouteTablePlan } from "./routes/route-plan.ts";
import type { SignallingOptions } from "./signalling/signalling-options.ts";
import type { ServerTlsPlan } from "./tls/tls-plan.ts";

/**
 * What a proxy should do, after every check: the form in which configuration reaches the datapath, wherever it
 * came from. Plans are immutable, cheap to clone to a worker, and share structure: an object that is identical
 * (`===`) to the one of the plan before has not changed.
 */
export interface Plan {
  readonly listeners: readonly ListenerPlan[];
  /** The listeners of protocols over TCP; none unless said. */
  readonly signalling?: readonly SignallingPlan[];
  readonly clusters: readonly ClusterPlan[];
}

/** An IP address in text form and a UDP port. Port 0 asks the kernel for one. */
export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

/** A UDP listener with its `udp_proxy`. */
export interface ListenerPlan extends SessionRouting {
  readonly name: string;
  readonly address: SocketAddress;
  /** `stat_prefix` of the udp_proxy: the name in its statistics. */
  readonly statPrefix: string;
  /** What RING_HASH and MAGLEV hash; without it they choose by lot. */
  readonly hashPolicy?: HashPolicy;
  /** A session without a datagram either way for so long is closed. */
  readonly idleTimeoutMs: number;
  /** Larger datagrams are dropped and counted; 1 to 65,535 bytes. */
  readonly maxRxDatagramBytes: number;
  /** Whether the kernel may hand over runs of datagrams at once (UDP_GRO). */
  readonly preferGro: boolean;
  /** What it protects itself with; nothing unless said. */
  readonly limits?: ListenerLimits;
  /** Whether its `traffic_direction` is INBOUND. */
  readonly isInbound?: boolean;
  /** The filters that see datagrams of clients before their sessions are looked for, in that order; none unless said. */
  readonly listenerFilters?: readonly FilterPlan[];
  /** The session filters, in the order in which a datagram from downstream meets them. */
  readonly filters: readonly FilterPlan[];
}

/** A TCP listener whose protocol a filter speaks; `msm.network.v1.SignallingProxy`. */
export interface SignallingPlan {
  readonly name: string;
  readonly address: SocketAddress;
  /** `stat_prefix` of the SignallingProxy. */
  readonly statPrefix: string;
  /** The filter that speaks the protocol. Its module counts its instructions, also where it is built in. */
  readonly filter: FilterPlan;
  /**
   * Whether connections are relayed to the endpoint of their route with the filter between them, as by Envoy's
   * `tcp_proxy`; otherwise the filter speaks the protocol, and opens connections itself.
   */
  readonly isRelay?: boolean;
  readonly routes: RouteTablePlan;
  readonly options: SignallingOptions;
  /** Filters of every flow that the listener opens. */
  readonly mediaChain: readonly PluginConfig[];
  /** Further connections are refused. */
  readonly maxConnections: number;
  /** Plain text without. */
  readonly tls?: ServerTlsPlan;
  /** Whether its `traffic_direction` is INBOUND. */
  readonly isInbound?: boolean;
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

/** By what the sessions of a listener are told apart for RING_HASH and MAGLEV; Envoy's `UdpProxyConfig.HashPolicy`, and more. */
export type HashPolicy =
  | { readonly kind: "SOURCE_IP" }
  /** The same for every session of the listener. */
  | { readonly kind: "KEY"; readonly key: string }
  /** By bytes of the datagram that opens the session: as many of them as it has. */
  | { readonly kind: "FIRST_DATAGRAM"; readonly offset: number; readonly length: number }
  /** By the key that a filter at stage LISTENER gave the session. */
  | { readonly kind: "SESSION_KEY" };

/** Where sessions of a listener may go. */
export interface ClusterPlan {
  readonly name: string;
  readonly endpoints: readonly EndpointPlan[];
  /** Names to find endpoints by; `endpoints` is empty until then. */
  readonly dns?: DnsPlan;
  /** `defaultBalancing` unless said. */
  readonly balancing?: BalancingPlan;
  /** Every one of them must succeed; endpoints are not checked unless said. */
  readonly healthChecks?: readonly HealthCheckPlan[];
  /** When endpoints are taken out for errors of their sessions; never unless said. */
  readonly outliers?: OutlierPlan;
  /** For how long an endpoint that is taken out keeps the sessions that it has; 0, not at all, unless said. */
  readonly drainLingerMs?: number;
  /** How long a connection to an endpoint may take to be made; 5,000 unless said. */
  readonly connectTimeoutMs?: number;
}

/** One upstream endpoint. One that takes no new sessions stays in the plan for those that it has. */
export interface EndpointPlan {
  readonly address: string;
  readonly port: number;
  /** The name by which it was found, where it was by DNS. */
  readonly hostname?: string;
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
  /** What sorts it into the subsets of its cluster; nothing unless said. */
  readonly metadata?: LbMetadata;
  /** Where and as whom health checks ask it; at its own address unless said. */
  readonly check?: CheckTarget & { readonly isDisabled: boolean };
}

/** Why a part of a plan could not be put into effect: a bind that failed, for example. */
export interface PlanRejection {
  readonly listener: string;
  readonly error: Error;
}
