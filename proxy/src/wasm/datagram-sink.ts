// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Batch } from "../datapath/batch.ts";
import type { MemoryViews } from "./copy-bytes.ts";

/**
 * Where the datagrams of one filter go that do not simply stay in the ring. Each takes a copy; the original is over
 * for the worker. What does not fit is dropped and counted.
 */
export interface DatagramSink {
  /** Keeps datagram `index` until the filter continues its session. */
  pause(batch: Batch, index: number): void;
  /** Sends datagram `index` back to where it came from. */
  reply(batch: Batch, index: number): void;
  /** Sends datagram `index` to a target instead of where its session goes, through the filters that follow. */
  retarget(batch: Batch, index: number, target: number): void;
  /** Datagram `index` may leave no earlier than `dueMs` of the worker's clock, whatever filters follow. */
  holdUntil(batch: Batch, index: number, dueMs: number): void;
  /** Takes a new datagram out of the guest's memory: `word` is the first of its descriptor there. */
  emit(guest: MemoryViews, word: number, dueMs: number): void;
  /** Lets the paused datagrams of a session go on in one direction. */
  resume(session: number, isUpstream: boolean): void;
}
