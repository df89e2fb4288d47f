// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { SocketAddress } from "../plan.ts";
import type { RunnableFilter } from "../wasm/index.ts";
import type { InterleavedPlan, RewritePlan } from "./flow-plan.ts";

/** What changed of a worker's flows; what is not named stays. */
export interface FlowUpdate {
  readonly flows: readonly WorkerFlow[];
  /** Numbers of flows that are gone, with their legs and sockets. */
  readonly removed: readonly number[];
  /** Whether the flows are older than the worker. */
  readonly isResumed: boolean;
}

/** A flow as its worker is told of it. Of legs and sockets only those that are new or changed. */
export interface WorkerFlow {
  /** Dense in the worker and used again: it stands for the flow in events and is its session for filters. */
  readonly number: number;
  readonly stream: string;
  /** 0: never. */
  readonly idleMs: number;
  /** Record of the source that is sent on, or -1. */
  readonly activeSource: number;
  /** Of a branch: how many sources of the flow are enabled where it is. Undefined where the flow is. */
  readonly branchSources: number | undefined;
  /** Receivers of the flow that are enabled, at whichever worker. */
  readonly receiverCount: number;
  readonly chain: WorkerChain;
  readonly sockets: readonly WorkerSocket[];
  readonly removedSockets: readonly number[];
  readonly legs: readonly WorkerLeg[];
  /** Records of legs that are gone. */
  readonly removedLegs: readonly number[];
}

/** Flows with the same chain share its filters; its number is never used for another. */
export interface WorkerChain {
  readonly number: number;
  /** At stage SESSION: they see each datagram once. */
  readonly filters: readonly RunnableFilter[];
  /** At stage EGRESS: they see the copy of each receiver. */
  readonly receiverFilters: readonly RunnableFilter[];
}

/** A socket of a flow. */
export interface WorkerSocket {
  readonly number: number;
  readonly socket: unknown;
  /** What comes there: RTP, RTCP, both (RFC 5761), or anything. */
  readonly use: "rtp" | "rtcp" | "mux" | "raw";
}

/** A leg as its worker is told of it. */
export interface WorkerLeg {
  readonly record: number;
  readonly id: string;
  readonly role: "source" | "receiver";
  readonly isEnabled: boolean;
  readonly transport: WorkerUdp | InterleavedPlan | WorkerTrunk;
  readonly rewrite: RewritePlan | undefined;
  readonly clockRate: number;
}

/** A leg over UDP as its worker is told of it. */
export interface WorkerUdp {
  readonly kind: "udp";
  /** Numbers of its sockets; the same for MUX, and -1 for no RTCP. */
  readonly rtp: number;
  readonly rtcp: number;
  /** Another one than the record has: the addresses below replace what is there, learnt ones included. */
  readonly remoteEpoch: number;
  readonly remote: SocketAddress | undefined;
  readonly remoteRtcp: SocketAddress | undefined;
  readonly latch: "NONE" | "ONCE" | "SSRC";
  readonly latchFrom: string | undefined;
}

/**
 * The way of a flow's media between the worker that has it and another that serves some of its receivers: there a
 * branch of the flow, whose source it is; to the flow it is a receiver.
 */
export interface WorkerTrunk {
  readonly kind: "trunk";
  /** The other worker; see `trunkAttachment`. */
  readonly attachment: number;
  /** The flow's number in the worker that has it. */
  readonly flow: number;
}

/** What a worker tells of a flow; the main thread makes a `FlowEvent` of it. */
export interface WorkerFlowEvent {
  readonly flow: number;
  readonly kind: "FIRST_PACKET" | "IDLE";
  /** Record of the leg, or -1. */
  readonly leg: number;
}
