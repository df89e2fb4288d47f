// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { FilterChain } from "../../wasm/filter-chain.ts";
import type { RewriteTask } from "../rewrite.ts";
import type { WorkerLeg, WorkerSocket } from "../worker-flow.ts";
import type { AddressMap } from "./address-map.ts";
import type { FlowRtcp } from "./flow-rtcp.ts";

/** A flow as its worker runs it. */
export interface RunningFlow {
  readonly number: number;
  stream: string;
  idleMs: number;
  chainNumber: number;
  chain: FilterChain;
  /** Its filters at stage EGRESS, for which each receiver is a session. */
  receiverChain: FilterChain | undefined;
  /** By record. */
  readonly legs: Map<number, RunningLeg>;
  /** The source that is sent on. */
  active: RunningLeg | undefined;
  /** Its record where the flow is, by which receivers know whose media they had last; -1 where there is none. */
  origin: number;
  /** Whether it is only what this worker has of another's flow: the source is a trunk, and the chain has no filters. */
  isBranch: boolean;
  /** Receivers that are enabled. */
  receivers: readonly RunningLeg[];
  /** How many they are, those at other workers included. */
  receiverCount: number;
  /** Other workers that serve receivers of this flow. */
  trunks: readonly RunningLeg[];
  readonly sockets: Map<number, RunningSocket>;
  readonly rtcp: FlowRtcp;
  /** Sources that are enabled. */
  sourceCount: number;
  /** When anything came last, and whether that it is idle was told since. */
  lastHeardMs: number;
  isIdle: boolean;
}

/** A leg as its worker runs it. */
export interface RunningLeg {
  readonly record: number;
  readonly flow: RunningFlow;
  readonly plan: WorkerLeg;
  /** The only address that may be learnt, as words of a `struct sockaddr`; undefined for any. */
  readonly latchFrom: Uint32Array | undefined;
  /** What a receiver's headers are rewritten by; undefined where they stay. */
  readonly task: RewriteTask | undefined;
}

/** A socket of a flow as its worker knows it. */
export interface RunningSocket extends WorkerSocket {
  readonly flow: RunningFlow;
  /** The legs that use it. */
  readonly legs: Set<RunningLeg>;
  /** Where it is used by one alone: that one. Several are told apart by their addresses. */
  only: RunningLeg | undefined;
  readonly byAddress: AddressMap;
}
