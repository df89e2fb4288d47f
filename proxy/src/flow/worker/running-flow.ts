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
  /** By record. */
  readonly legs: Map<number, RunningLeg>;
  /** The source that is sent on. */
  active: RunningLeg | undefined;
  /** Receivers that are enabled. */
  receivers: readonly RunningLeg[];
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
