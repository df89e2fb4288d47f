// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Batch } from "../datapath/batch.ts";
import type { FilterPlan } from "../plan.ts";
import { FIRST_SESSION_CONTEXT, PLUGIN_CONTEXT, Status } from "./abi.ts";
import { BatchResults } from "./batch-results.ts";
import { BatchWindow } from "./batch-window.ts";
import type { SessionInfo } from "./filter-environment.ts";
import { type FailureKind, FilterFailure, toFilterFailure } from "./filter-failure.ts";
import { findGuestCalls, type GuestCalls, startExports } from "./guest-calls.ts";
import { type ChainHost, GuestState } from "./guest-state.ts";
import { createImports } from "./imports.ts";
import { defaultPluginInfo, describePlugin } from "./plugin-info.ts";
import type { StreamReport } from "./stream-report.ts";

/** `peer` of a connection close: the session ended by time-out, neither side closed it. */
const PEER_UNKNOWN = 0;

/**
 * One running filter: a module instance with its own memory, started and configured. Every method throws
 * FilterFailure where the guest breaks; the instance is then of no more use.
 */
export class FilterInstance {
  readonly #state: GuestState;
  readonly #calls: GuestCalls;
  readonly #window: BatchWindow;
  readonly #results: BatchResults;
  /** When the next tick is due, in the worker's monotonic milliseconds; null until the first look. */
  #nextTickMs: number | null = null;

  /** Instantiates, starts and configures, in Proxy-Wasm's order of calls. Throws FilterFailure. */
  constructor(plan: FilterPlan, host: ChainHost) {
    const state = new GuestState(plan, host);
    this.#state = state;
    this.#calls = attempt("start", "instantiation", () => instantiate(state));
    const { memory } = state;
    const calls = this.#calls;
    attempt("start", "start", () => {
      calls.contextCreate?.(PLUGIN_CONTEXT, 0);
      const isStarted = calls.vmStart?.(PLUGIN_CONTEXT, plan.vmConfiguration.length) ?? 1;
      if (isStarted === 0) throw new FilterFailure("start", "proxy_on_vm_start answered false");
    });
    attempt("configure", "proxy_on_configure", () => {
      const isConfigured = calls.configure?.(PLUGIN_CONTEXT, plan.configuration.length) ?? 1;
      if (isConfigured === 0) throw new FilterFailure("configure", "the filter refused its configuration");
    });
    const { describe } = calls;
    const info =
      describe === undefined
        ? defaultPluginInfo
        : attempt("start", "msm_describe", () => describePlugin(memory, describe));
    this.#window = attempt("start", "allocation", () => new BatchWindow(memory, info));
    state.window = this.#window;
    this.#results = new BatchResults(memory, this.#window, state.reasons);
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
      this.#calls.done?.(context);
      this.#calls.log?.(context);
      this.#calls.delete?.(context);
    });
    this.#state.resumedSessions.delete(index);
  }

  /**
   * Runs the datagrams `live[0..count)` of the batch through the filter, in as many calls as its batch needs.
   * Returns how many of them do not go on. Where it throws, the calls before stand and the failing one has
   * changed nothing.
   */
  run(batch: Batch, live: Uint32Array, count: number, origins: Uint32Array): number {
    const { memory, host, metrics, reasons } = this.#state;
    this.#state.context = PLUGIN_CONTEXT;
    let stopped = 0;
    try {
      for (let start = 0; start < count; start += this.#window.capacity) {
        const part = Math.min(this.#window.capacity, count - start);
        this.#window.copyIn(batch, live, start, part, host.clock);
        this.#callOnDatagrams();
        memory.bind();
        if (this.#window.isUnchanged) continue;
        if (this.#results.check(batch, live, start, part, origins)) {
          stopped += this.#results.apply(batch, live, start, part);
        }
      }
    } finally {
      this.#window.end();
      metrics.sample(memory);
      reasons.flush();
    }
    return stopped;
  }

  /** Runs `proxy_on_tick` when it is due. Returns the milliseconds until it is due again, or Infinity. */
  tick(nowMs: number): number {
    const periodMs = this.#state.tickPeriodMs;
    if (periodMs === 0 || this.#calls.tick === undefined) return Number.POSITIVE_INFINITY;
    this.#nextTickMs ??= nowMs + periodMs;
    if (nowMs >= this.#nextTickMs) {
      this.#call(PLUGIN_CONTEXT, "proxy_on_tick", () => this.#calls.tick?.(PLUGIN_CONTEXT));
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

  /** Without a closure, because it runs once per batch. */
  #callOnDatagrams(): void {
    let status: number;
    try {
      status = this.#calls.onDatagrams(PLUGIN_CONTEXT, this.#window.address);
    } catch (thrown) {
      throw toFilterFailure(thrown, "trap", "msm_on_datagrams");
    }
    if (status !== Status.Ok) throw new FilterFailure("status", `msm_on_datagrams answered status ${status}`);
  }

  #call(context: number, name: string, call: () => void): void {
    this.#state.context = context;
    attempt("trap", name, call);
  }
}

function attempt<T>(kind: FailureKind, name: string, call: () => T): T {
  try {
    return call();
  } catch (thrown) {
    throw toFilterFailure(thrown, kind, name);
  }
}

function instantiate(state: GuestState): GuestCalls {
  const instance = new WebAssembly.Instance(state.plan.module, createImports(state));
  const { exports } = instance;
  const calls = findGuestCalls(exports);
  const { memory } = exports;
  if (!(memory instanceof WebAssembly.Memory)) {
    throw new FilterFailure("start", "the module exports no memory");
  }
  state.memory.attach(memory, calls.allocate);
  const start = startExports.map((name) => exports[name]).find((found) => typeof found === "function");
  (start as (() => void) | undefined)?.();
  return calls;
}
