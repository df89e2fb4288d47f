// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { PluginConfig } from "@msm/xds-protos/envoy/extensions/wasm/v3/wasm_pb.js";
import type { SocketAddress } from "../plan.ts";

/** A flow after every check; see msm.flow.v1 for the meaning of what is here. */
export interface FlowPlan {
  readonly id: string;
  readonly stream: string;
  /** Sources, then receivers; the ids of all are different. */
  readonly legs: readonly LegPlan[];
  /** `id` of the source that is sent on; undefined where none is enabled. */
  readonly activeSource: string | undefined;
  readonly chain: readonly PluginConfig[];
  /** 0: never. */
  readonly idleMs: number;
}

/** A leg after every check. */
export interface LegPlan {
  readonly id: string;
  readonly role: "source" | "receiver";
  readonly isEnabled: boolean;
  readonly transport: UdpPlan | InterleavedPlan;
  readonly rewrite: RewritePlan | undefined;
  /** Ticks per second of the RTP timestamp; 0 where it is not known. */
  readonly clockRate: number;
  /** Of `media`; those that `clockRate` holds for. */
  readonly payloadTypes: readonly number[];
}

/** A leg over UDP. */
export interface UdpPlan {
  readonly kind: "udp";
  /** Port 0: one from the range of media ports. */
  readonly local: SocketAddress;
  /** Undefined until it is learnt. */
  readonly remote: SocketAddress | undefined;
  readonly remoteRtcp: SocketAddress | undefined;
  readonly rtcp: "PAIR" | "MUX" | "NONE";
  readonly latch: "NONE" | "ONCE" | "SSRC";
  /** The only IP address that may be learnt; anyone's where it is undefined. */
  readonly latchFrom: string | undefined;
  readonly dscp: number | undefined;
  readonly ttl: number | undefined;
  /** Name of the network interface for multicast; the system's choice where it is undefined. */
  readonly interface: string | undefined;
  /** Where `local` is a multicast group: the senders that it is joined for; for anyone's where there are none. */
  readonly sourceFilter: readonly string[];
}

/** A leg inside a connection of a signalling worker. */
export interface InterleavedPlan {
  readonly kind: "interleaved";
  /** Number of the signalling worker's attachment. */
  readonly attachment: number;
  readonly connection: number;
  readonly rtpChannel: number;
  readonly rtcpChannel: number | undefined;
}

/** What a receiver finds in the RTP header. */
export interface RewritePlan {
  readonly ssrc: number | undefined;
  readonly isContinuous: boolean;
  /** Pairs of payload types: the source's, the receiver's. */
  readonly payloadTypes: readonly (readonly [from: number, to: number])[];
}
