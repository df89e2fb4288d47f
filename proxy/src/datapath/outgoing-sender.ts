// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { WorkerIo } from "../io/io-backend.ts";
import { FIRST_SESSION_CONTEXT } from "../wasm/abi.ts";
import { copyBytes } from "../wasm/copy-bytes.ts";
import type { Outgoing } from "../wasm/detour.ts";
import { type Batch, DESCRIPTOR_WORDS, Flag, Word } from "./batch.ts";
import { type Ring, SLOTS, SlotState } from "./ring.ts";
import type { SessionTable } from "./session-table.ts";

/** What a sender works on. */
export interface OutgoingSenderParts {
  readonly ring: Ring;
  readonly sessions: SessionTable;
  readonly io: WorkerIo;
}

/**
 * Sends the datagrams that filters added, answered, paused or paced: from the ring, as every other, in batches of one
 * direction, so that those of one receiver still leave in one call. To be used when the ring's own batch was sent.
 */
export class OutgoingSender {
  readonly #ring: Ring;
  readonly #sessions: SessionTable;
  readonly #io: WorkerIo;
  #isToClient = false;

  constructor({ ring, sessions, io }: OutgoingSenderParts) {
    this.#ring = ring;
    this.#sessions = sessions;
    this.#io = io;
  }

  /**
   * Sends them all, in their order, and leaves the ring empty. `onSent` is told of the direction of each batch, so that
   * what the I/O counted can be taken; `targetSession` gives the session that carries a session's datagrams to a target,
   * or -1. Returns how many had none.
   */
  send(
    { batch, indexes, count }: Outgoing,
    onSent: (isToClient: boolean) => void,
    targetSession: (session: number, target: number) => number,
  ): number {
    const ring = this.#ring;
    let lost = 0;
    ring.clear();
    for (let i = 0; i < count; i++) {
      const word = (batch.descriptors >>> 2) + indexes[i]! * DESCRIPTOR_WORDS;
      const session = batch.words[word + Word.session]! - FIRST_SESSION_CONTEXT;
      // Whatever the reason, its peers are gone.
      if (!this.#sessions.isOpen(session)) continue;
      const target = batch.words[word + Word.target]!;
      const carrier = target === 0 ? session : targetSession(session, target);
      if (carrier < 0) {
        lost++;
        continue;
      }
      const isToClient = target === 0 && (batch.words[word + Word.flags]! & Flag.UpstreamDirection) !== 0;
      if (ring.slots === SLOTS || (ring.slots > 0 && isToClient !== this.#isToClient)) this.#flush(onSent);
      this.#isToClient = isToClient;
      this.#put(batch, word, carrier);
    }
    if (ring.slots > 0) this.#flush(onSent);
    return lost;
  }

  #put(batch: Batch, word: number, session: number): void {
    const ring = this.#ring;
    const { words } = batch;
    const slot = ring.slots;
    const data = words[word + Word.data]!;
    const length = words[word + Word.length]! & 0xffff;
    ring.session[slot] = session;
    ring.add(length, length, words[word + Word.flags]! & 0xffff, 0, 0);
    ring.describe(slot, session + FIRST_SESSION_CONTEXT);
    // The same remainder by 4, so that words can be copied: the payload may begin some bytes into its slot.
    const to = ring.payload(slot) + (data & 3);
    copyBytes(ring, to, batch, data, length);
    const descriptor = (ring.descriptors >>> 2) + ring.firstDescriptor[slot]! * DESCRIPTOR_WORDS;
    ring.words[descriptor + Word.data] = to;
    ring.slotState[slot] = SlotState.Apart;
  }

  #flush(onSent: (isToClient: boolean) => void): void {
    const { slots } = this.#ring;
    if (this.#isToClient) this.#io.sendDownstream(0, slots);
    else this.#io.sendUpstream(0, slots);
    this.#ring.clear();
    onSent(this.#isToClient);
  }
}
