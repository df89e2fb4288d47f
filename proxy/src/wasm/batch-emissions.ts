// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { Action, DESCRIPTOR_WORDS, Flag, Word } from "../datapath/batch.ts";
import { FIRST_SESSION_CONTEXT } from "./abi.ts";
import { txMs } from "./batch-results.ts";
import type { BatchWindow } from "./batch-window.ts";
import type { DatagramSink } from "./datagram-sink.ts";
import { FilterFailure } from "./filter-failure.ts";
import type { GuestState } from "./guest-state.ts";

/** Takes the datagrams that a filter added behind those it was shown: first all are checked, then all are taken. */
export class BatchEmissions {
  readonly #state: GuestState;
  readonly #window: BatchWindow;
  readonly #sink: DatagramSink;

  constructor(state: GuestState, window: BatchWindow, sink: DatagramSink) {
    this.#state = state;
    this.#window = window;
    this.#sink = sink;
  }

  /** Checks `emitted` descriptors from number `count` on. Throws FilterFailure. */
  check(count: number, emitted: number): void {
    if (emitted > this.#window.emitCapacity) {
      throw new FilterFailure("bad_output", `emitted ${emitted}: room is for ${this.#window.emitCapacity}`);
    }
    const { words } = this.#state.memory;
    for (let k = count; k < count + emitted; k++) {
      const word = this.#window.firstWord + k * DESCRIPTOR_WORDS;
      const from = words[word + Word.data]! - (this.#window.firstSlot + k * this.#window.strideBytes);
      const length = words[word + Word.length]! & 0xffff;
      if (from < -this.#window.headroomBytes || from + length > this.#window.emitBytes) {
        throw new FilterFailure("bad_output", `emitted datagram ${k}: data and len lie outside of its slot`);
      }
      const session = words[word + Word.session]! - FIRST_SESSION_CONTEXT;
      if (!this.#state.host.sessions.has(session)) {
        throw new FilterFailure("bad_output", `emitted datagram ${k}: its session is none`);
      }
      if ((words[word + Word.action]! & 0xff) !== Action.Continue) {
        throw new FilterFailure("bad_output", `emitted datagram ${k}: its action must be CONTINUE`);
      }
      if ((words[word + Word.flags]! & (Flag.Retarget | Flag.SetKey)) !== 0) {
        throw new FilterFailure("unsupported_action", `emitted datagram ${k}: its flags are reserved`);
      }
      if (words[word + Word.target] !== 0) this.#checkTarget(words, word, k);
    }
  }

  #checkTarget(words: Uint32Array, word: number, k: number): void {
    if (this.#state.host.targets.get(words[word + Word.target]!) === undefined) {
      throw new FilterFailure("bad_output", `emitted datagram ${k}: its target is none`);
    }
    if ((words[word + Word.flags]! & Flag.TxTime) !== 0) {
      throw new FilterFailure("unsupported_action", `emitted datagram ${k}: to a target it leaves at once`);
    }
  }

  /** Takes what was checked. */
  apply(count: number, emitted: number): void {
    const { memory } = this.#state;
    for (let k = count; k < count + emitted; k++) {
      const word = this.#window.firstWord + k * DESCRIPTOR_WORDS;
      const isTimed = (memory.words[word + Word.flags]! & Flag.TxTime) !== 0;
      this.#sink.emit(memory, word, isTimed ? txMs(memory.words, word) : 0);
    }
  }
}
