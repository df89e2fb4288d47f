// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Batch } from "../datapath/batch.ts";
import type { MemoryViews } from "./copy-bytes.ts";
import type { DatagramSink } from "./datagram-sink.ts";
import type { ChainHost } from "./guest-state.ts";

/** Puts the datagrams that one filter diverts on the chain's detour, under the filter's name. */
export class ChainSink implements DatagramSink {
  readonly #owner: object;
  readonly #host: ChainHost;

  constructor(owner: object, host: ChainHost) {
    this.#owner = owner;
    this.#host = host;
  }

  pause(batch: Batch, index: number): void {
    this.#host.needDetour().pause(this.#owner, batch, index);
  }

  reply(batch: Batch, index: number): void {
    this.#host.needDetour().reply(this.#owner, batch, index);
  }

  retarget(batch: Batch, index: number, target: number): void {
    this.#host.needDetour().retarget(this.#owner, batch, index, target);
  }

  holdUntil(batch: Batch, index: number, dueMs: number): void {
    const detour = this.#host.needDetour();
    if (batch === detour.batch) {
      detour.setDue(index, dueMs);
      return;
    }
    this.#host.ringDueMs[index] = dueMs;
    this.#host.hasRingDue = true;
  }

  emit(guest: MemoryViews, word: number, dueMs: number): void {
    this.#host.needDetour().emit(this.#owner, guest, word, dueMs);
  }

  resume(session: number, isUpstream: boolean): void {
    this.#host.detour?.resume(this.#owner, session, isUpstream);
  }
}
