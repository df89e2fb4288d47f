// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { SessionMatcher } from "../cluster/session-matcher.ts";
import type { HashPolicy, SocketAddress } from "../plan.ts";
import type { FilterChain } from "../wasm/filter-chain.ts";
import type { Admission } from "./admission.ts";

/** A listener as a worker runs it. */
export interface RunningListener {
  readonly id: number;
  readonly name: string;
  /** Where clients send to; of a wildcard address, to any that this host has. */
  readonly local: SocketAddress;
  /** First slot of its counters. */
  readonly counters: number;
  /** Where new sessions go, unless `matcher` is there. */
  readonly cluster: string;
  readonly matcher: SessionMatcher | undefined;
  readonly hashPolicy: HashPolicy | undefined;
  readonly idleTimeoutMs: number;
  readonly maxRxDatagramBytes: number;
  readonly preferGro: boolean;
  /** Its limits, where it has any. */
  readonly admission: Admission | undefined;
  readonly chain: FilterChain;
  /** Its filters at stage LISTENER, where it has any. */
  readonly listenerChain: FilterChain | undefined;
}

/** A worker's listeners by their numbers. */
export type RunningListeners = readonly (RunningListener | undefined)[];
