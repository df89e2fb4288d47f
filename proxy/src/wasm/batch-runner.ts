// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Batch } from "../datapath/batch.ts";
import { PLUGIN_CONTEXT, Status } from "./abi.ts";
import { BatchEmissions } from "./batch-emissions.ts";
import { BatchResults, Change } from "./batch-results.ts";
import { BatchWindow } from "./batch-window.ts";
import type { ChainPass } from "./chain-pass.ts";
import type { DatagramSink } from "./datagram-sink.ts";
import { FilterFailure } from "./filter-failure.ts";
import type { GuestCalls } from "./guest-calls.ts";
import type { GuestRunner } from "./guest-runner.ts";
import type { GuestState } from "./guest-state.ts";
import type { PluginInfo } from "./plugin-info.ts";

type OnDatagrams = NonNullable<GuestCalls["onDatagrams"]>;

/** Runs filters of the datagram extension: one call for a batch. */
export class BatchRunner implements GuestRunner {
  readonly #state: GuestState;
  readonly #onDatagrams: OnDatagrams;
  readonly #onTimer: GuestCalls["onTimer"];
  readonly #window: BatchWindow;
  readonly #results: BatchResults;
  readonly #emissions: BatchEmissions | null;

  /** Allocates the batch in the guest. Without a sink every datagram stays in the ring. Throws FilterFailure. */
  constructor(
    state: GuestState,
    onDatagrams: OnDatagrams,
    onTimer: GuestCalls["onTimer"],
    info: PluginInfo,
    sink: DatagramSink | null,
  ) {
    this.#state = state;
    this.#onDatagrams = onDatagrams;
    this.#onTimer = onTimer;
    this.#window = new BatchWindow(state.memory, info, state.host.env);
    state.window = this.#window;
    this.#results = new BatchResults(state, this.#window, sink);
    this.#emissions = sink && new BatchEmissions(state, this.#window, sink);
  }

  run(batch: Batch, live: Uint32Array, count: number, pass: ChainPass): number {
    const { memory, host, metrics, reasons } = this.#state;
    this.#state.context = PLUGIN_CONTEXT;
    let stopped = 0;
    try {
      for (let start = 0; start < count; start += this.#window.capacity) {
        const part = Math.min(this.#window.capacity, count - start);
        this.#window.copyIn(batch, live, start, part, host.clock);
        this.#call();
        memory.bind();
        const emitted = this.#checkEmitted(part);
        if (!this.#window.isUnchanged) {
          const change = this.#results.check(batch, live, start, part, count, pass);
          if (change === Change.Payload) this.#results.takePayloads(batch, live, start, part);
          else if (change === Change.Descriptor) {
            pass.touch(batch);
            stopped += this.#results.apply(batch, live, start, part);
          }
        }
        if (emitted > 0) this.#emissions?.apply(part, emitted);
      }
    } finally {
      this.#window.end();
      metrics.sample(memory);
      reasons.flush();
    }
    return stopped;
  }

  runTimer(context: number, id: number): void {
    if (this.#onTimer === undefined) return;
    this.#state.context = context;
    this.#window.clear(this.#state.host.clock);
    this.#state.budget.grantCall();
    try {
      this.#onTimer(context, id, this.#window.address);
    } catch (thrown) {
      throw this.#state.toFailure(thrown, "trap", "msm_on_timer");
    }
    this.#state.memory.bind();
    const emitted = this.#checkEmitted(0);
    if (emitted > 0) this.#emissions?.apply(0, emitted);
  }

  /** Without a closure, because it runs once per batch. */
  #call(): void {
    let status: number;
    this.#state.budget.grantCall();
    try {
      status = this.#onDatagrams(PLUGIN_CONTEXT, this.#window.address);
    } catch (thrown) {
      throw this.#state.toFailure(thrown, "trap", "msm_on_datagrams");
    }
    if (status !== Status.Ok) throw new FilterFailure("status", `msm_on_datagrams answered status ${status}`);
  }

  /** How many datagrams the filter added, after a check of each. */
  #checkEmitted(count: number): number {
    const emitted = this.#window.emitted();
    if (emitted === 0) return 0;
    if (this.#emissions === null) throw new FilterFailure("unsupported_action", "emitted must be 0");
    this.#emissions.check(count, emitted);
    return emitted;
  }
}
