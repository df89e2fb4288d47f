// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { Action, type Batch, DESCRIPTOR_WORDS, Flag, Word } from "../datapath/batch.ts";
import type { ChainPass } from "./chain-pass.ts";
import type { DatagramSink } from "./datagram-sink.ts";
import { FilterFailure } from "./filter-failure.ts";
import type { GuestCalls } from "./guest-calls.ts";
import type { GuestRunner } from "./guest-runner.ts";
import type { GuestState } from "./guest-state.ts";
import { StreamBuffer } from "./stream-buffer.ts";

/** `action_t` of Proxy-Wasm. */
const CONTINUE = 0;
const PAUSE = 1;

/** Drops by such a filter have no reason of their own. */
const NO_REASON = 0;

/**
 * Runs Proxy-Wasm network filters as they are: a session is a connection, and each datagram is its data, in one call.
 * A datagram that the filter empties is dropped; one that it pauses waits for `proxy_continue_stream`.
 */
export class StreamRunner implements GuestRunner {
  readonly #state: GuestState;
  readonly #calls: GuestCalls;
  readonly #sink: DatagramSink | null;
  readonly #buffer = new StreamBuffer();

  constructor(state: GuestState, calls: GuestCalls, sink: DatagramSink | null) {
    this.#state = state;
    this.#calls = calls;
    this.#sink = sink;
    state.stream = this.#buffer;
  }

  run(batch: Batch, live: Uint32Array, count: number, pass: ChainPass): number {
    const { metrics, memory, reasons } = this.#state;
    let stopped = 0;
    try {
      for (let i = 0; i < count; i++) stopped += this.#show(batch, live[i]!, pass);
    } finally {
      this.#buffer.close();
      metrics.sample(memory);
      reasons.flush();
    }
    return stopped;
  }

  /** The extension's timers need its callback; Proxy-Wasm has ticks. */
  runTimer(): void {}

  /** Shows one datagram. Returns 1 where it does not go on, else 0. */
  #show(batch: Batch, index: number, pass: ChainPass): number {
    const { words, bytes } = batch;
    const h = (batch.descriptors >>> 2) + index * DESCRIPTOR_WORDS;
    const isUpstream = (words[h + Word.flags]! & Flag.UpstreamDirection) !== 0;
    const onData = isUpstream ? this.#calls.upstreamData : this.#calls.downstreamData;
    if (onData === undefined) return 0;
    const data = words[h + Word.data]!;
    const length = words[h + Word.length]! >>> 16;
    this.#buffer.open(bytes.subarray(data, data + length), isUpstream);
    const action = this.#call(onData, words[h + Word.session]!, length);
    if (action !== CONTINUE && action !== PAUSE) {
      throw new FilterFailure("bad_output", `${action} is no action of a network filter`);
    }
    if (!this.#buffer.isChanged && action === CONTINUE) return 0;
    pass.touch(batch);
    return this.#buffer.isChanged ? this.#replace(batch, index, action) : this.#settle(batch, index, action);
  }

  #call(onData: NonNullable<GuestCalls["downstreamData"]>, context: number, length: number): number {
    this.#state.context = context;
    this.#state.budget.grantCall();
    try {
      return onData(context, length, 0);
    } catch (thrown) {
      throw this.#state.toFailure(thrown, "trap", "proxy_on_downstream_data");
    }
  }

  /** Puts what the filter wrote in the place of the datagram, where it fits: a datagram cannot grow in the ring. */
  #replace(batch: Batch, index: number, action: number): number {
    const { words, bytes } = batch;
    const h = (batch.descriptors >>> 2) + index * DESCRIPTOR_WORDS;
    const { content } = this.#buffer;
    if (content.length === 0 && action === CONTINUE) {
      words[h + Word.action] = Action.Drop;
      this.#state.reasons.note(NO_REASON);
      return 1;
    }
    if (content.length > words[h + Word.length]! >>> 16) {
      throw new FilterFailure("unsupported_action", "a datagram cannot become longer");
    }
    bytes.set(content, words[h + Word.data]!);
    words[h + Word.length] = content.length | (content.length << 16);
    words[h + Word.flags]! |= Flag.Dirty;
    return this.#settle(batch, index, action);
  }

  #settle(batch: Batch, index: number, action: number): number {
    if (action === CONTINUE) return 0;
    if (this.#sink === null)
      throw new FilterFailure("unsupported_action", "a datagram cannot be paused here");
    this.#sink.pause(batch, index);
    batch.words[(batch.descriptors >>> 2) + index * DESCRIPTOR_WORDS + Word.action] = Action.Consume;
    return 1;
  }
}
