// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Batch } from "../datapath/batch.ts";
import { FIRST_SESSION_CONTEXT, PLUGIN_CONTEXT, Stage } from "./abi.ts";
import { BatchRunner } from "./batch-runner.ts";
import type { ChainPass } from "./chain-pass.ts";
import type { DatagramSink } from "./datagram-sink.ts";
import type { SessionInfo } from "./filter-environment.ts";
import { type FailureKind, FilterFailure } from "./filter-failure.ts";
import type { RunnableFilter } from "./filter-options.ts";
import type { GuestCalls } from "./guest-calls.ts";
import type { GuestRunner } from "./guest-runner.ts";
import { type ChainHost, GuestState } from "./guest-state.ts";
import { defaultPluginInfo, describePlugin } from "./plugin-info.ts";
import { startGuest } from "./start-guest.ts";
import type { StreamReport } from "./stream-report.ts";
import { StreamRunner } from "./stream-runner.ts";

/** `peer` of a connection close: the session ended by time-out, neither side closed it. */
const PEER_UNKNOWN = 0;

/**
 * One running filter: a module instance with its own memory, started and configured. Every method throws
 * FilterFailure where the guest breaks; the instance is then of no more use.
 */
export class FilterInstance {
  readonly #state: GuestState;
  readonly #calls: GuestCalls;
  readonly #runner: GuestRunner;
  readonly #sink: DatagramSink | null;
  #drainMs = defaultPluginInfo.drainMs;
  /** Bits of `Stage`: where the filter wants to run. */
  #stages = defaultPluginInfo.stages;
  /** When the next tick is due, in the worker's monotonic milliseconds; null until the first look. */
  #nextTickMs: number | null = null;

  /**
   * Instantiates, starts and configures, in Proxy-Wasm's order of calls. `sink` takes what does not stay in the ring;
   * it is not used where the environment does not send that. Throws FilterFailure.
   */
  constructor(plan: RunnableFilter, host: ChainHost, sink: DatagramSink) {
    const state = new GuestState(plan, host);
    this.#state = state;
    this.#sink = state.canDivert ? sink : null;
    this.#calls = startGuest(state);
    state.budget.grantStart();
    this.#runner = this.#attempt("start", "msm_describe", () => this.#createRunner());
  }

  get memoryBytes(): number {
    const { memory } = this.#state;
    memory.bind();
    return memory.bytes.length;
  }

  /** Tells of a new session, or of one that is older than this instance. */
  openSession(session: SessionInfo): void {
    const context = session.index + FIRST_SESSION_CONTEXT;
    if (session.resumed) this.#state.resumedSessions.add(session.index);
    this.#call(context, "proxy_on_context_create", () => {
      this.#calls.contextCreate?.(context, PLUGIN_CONTEXT);
      const action = this.#calls.newConnection?.(context) ?? 0;
      if (action !== 0) throw new FilterFailure("unsupported_action", "a session cannot be paused");
    });
  }

  /** Tells that a session is over; its context id may be used again afterwards. */
  closeSession(index: number): void {
    const context = index + FIRST_SESSION_CONTEXT;
    this.#call(context, "proxy_on_done", () => {
      this.#calls.downstreamClose?.(context, PEER_UNKNOWN);
      this.#calls.upstreamClose?.(context, PEER_UNKNOWN);
      this.#calls.done?.(context);
      this.#calls.log?.(context);
      this.#calls.delete?.(context);
    });
    this.#state.resumedSessions.delete(index);
    this.#state.timers.cancelContext(context);
  }

  /** Tells that a session goes on with another instance: what this one keeps with it as properties, that one reads. */
  handOver(index: number): void {
    const { onHandOver } = this.#calls;
    const context = index + FIRST_SESSION_CONTEXT;
    if (onHandOver !== undefined) this.#call(context, "msm_on_hand_over", () => onHandOver(context));
  }

  /** Bits of `Stage`: where the filter wants to run. */
  get stages(): number {
    return this.#stages;
  }

  /** For how long sessions are to stay with this instance when another takes its place. */
  get drainMs(): number {
    return this.#drainMs;
  }

  /** Runs datagrams through the filter; see GuestRunner. */
  run(batch: Batch, live: Uint32Array, count: number, pass: ChainPass): number {
    const stopped = this.#runner.run(batch, live, count, pass);
    this.#resume();
    return stopped;
  }

  /** Tells of entries in a queue that this instance registered; does nothing for those of others. */
  queueReady(queue: number, owner: object): void {
    if (owner !== this.#state) return;
    this.#call(PLUGIN_CONTEXT, "proxy_on_queue_ready", () => this.#calls.queueReady?.(PLUGIN_CONTEXT, queue));
    this.#resume();
  }

  /** Runs the timers and the tick that are due. Returns the milliseconds until the next, or Infinity. */
  tick(nowMs: number): number {
    const { timers, metrics, memory } = this.#state;
    for (let timer = timers.take(nowMs); timer !== undefined; timer = timers.take(nowMs)) {
      this.#runner.runTimer(timer.context, timer.id);
      this.#resume();
      metrics.sample(memory);
    }
    return Math.min(timers.nextMs - nowMs, this.#runTick(nowMs));
  }

  /** When the next timer or tick is due, in the worker's milliseconds; Infinity where none is. */
  get nextMs(): number {
    const tickMs = this.#state.tickPeriodMs === 0 ? Number.POSITIVE_INFINITY : (this.#nextTickMs ?? 0);
    return Math.min(this.#state.timers.nextMs, tickMs);
  }

  /** Filters of the extension see batches, others one datagram at a time. */
  #createRunner(): GuestRunner {
    const { describe, onDatagrams, onTimer } = this.#calls;
    const state = this.#state;
    const { stage } = state.host.env;
    if (onDatagrams === undefined) {
      this.#checkStage(stage);
      return new StreamRunner(state, this.#calls, this.#sink);
    }
    const isListener = stage === Stage.Listener;
    const asked =
      describe === undefined
        ? defaultPluginInfo
        : describePlugin(state.memory, describe, state.canDivert || isListener);
    // Before there are sessions, there is none to which a datagram could be added.
    const info = isListener ? { ...asked, emitCapacity: 0 } : asked;
    this.#stages = info.stages;
    this.#checkStage(stage);
    this.#drainMs = info.drainMs;
    return new BatchRunner(state, onDatagrams, onTimer, info, this.#sink);
  }

  /** Throws FilterFailure where the filter is not made for the place that it was given. */
  #checkStage(stage: number | undefined): void {
    if (stage === undefined || (this.#stages & stage) !== 0) return;
    const problem = `it runs at stages ${stageNames(this.#stages)}, not at ${stageNames(stage)}`;
    throw new FilterFailure("unsupported_action", problem);
  }

  /** Lets datagrams go on that the call which just ended continued. */
  #resume(): void {
    const { resumes } = this.#state;
    if (resumes.length === 0) return;
    for (const { session, isUpstream } of resumes) this.#sink?.resume(session, isUpstream);
    resumes.length = 0;
  }

  #runTick(nowMs: number): number {
    const periodMs = this.#state.tickPeriodMs;
    if (periodMs === 0 || this.#calls.tick === undefined) return Number.POSITIVE_INFINITY;
    this.#nextTickMs ??= nowMs + periodMs;
    if (nowMs >= this.#nextTickMs) {
      this.#call(PLUGIN_CONTEXT, "proxy_on_tick", () => this.#calls.tick?.(PLUGIN_CONTEXT));
      this.#resume();
      this.#state.metrics.sample(this.#state.memory);
      // Ticks that were missed are not made up for.
      const next = this.#nextTickMs + periodMs;
      this.#nextTickMs = next > nowMs ? next : nowMs + periodMs;
    }
    return this.#nextTickMs - nowMs;
  }

  /** The streams that the filter knows. */
  streams(): readonly StreamReport[] {
    const { onReport } = this.#calls;
    if (onReport === undefined) return [];
    const reports: StreamReport[] = [];
    this.#state.reports = reports;
    try {
      this.#call(PLUGIN_CONTEXT, "msm_on_report", () => onReport(PLUGIN_CONTEXT));
    } finally {
      this.#state.reports = null;
    }
    return reports;
  }

  #call(context: number, name: string, call: () => void): void {
    this.#state.context = context;
    this.#state.budget.grantCall();
    this.#attempt("trap", name, call);
  }

  #attempt<T>(kind: FailureKind, name: string, call: () => T): T {
    try {
      return call();
    } catch (thrown) {
      throw this.#state.toFailure(thrown, kind, name);
    }
  }
}

/** The names of stages, for people. */
function stageNames(stages: number): string {
  const names = Object.entries(Stage).filter(([, bit]) => (stages & bit) !== 0);
  return names.map(([name]) => name.toUpperCase()).join(" and ");
}
