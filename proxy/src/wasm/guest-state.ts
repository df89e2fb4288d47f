// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { LogLevel, PLUGIN_CONTEXT } from "./abi.ts";
import type { BatchWindow } from "./batch-window.ts";
import { Detour } from "./detour.ts";
import { DropReasons } from "./drop-reasons.ts";
import { FilterClock } from "./filter-clock.ts";
import type { FilterEnvironment, SessionInfo, Sink } from "./filter-environment.ts";
import { type FailureKind, FilterFailure, toFilterFailure } from "./filter-failure.ts";
import { FilterMetrics } from "./filter-metrics.ts";
import type { RunnableFilter } from "./filter-options.ts";
import { GuestBudget } from "./guest-budget.ts";
import { GuestMemory } from "./guest-memory.ts";
import { GuestTimers } from "./guest-timers.ts";
import { LogLimiter } from "./log-limiter.ts";
import { SCRIPT_FUEL_FACTOR } from "./script/script-engine.ts";
import { SessionState } from "./session-state.ts";
import { SharedState } from "./shared-state.ts";
import type { GuestBuffer } from "./stream-buffer.ts";
import type { StreamReport } from "./stream-report.ts";
import { TargetTable } from "./target-table.ts";

/** Longer messages are cut: a log is read by people. */
const MAX_LOG_BYTES = 4_096;

/** What the filters of one chain share; a chain that replaces another takes it over. */
export class ChainHost {
  readonly env: FilterEnvironment;
  readonly clock: FilterClock;
  /** The live sessions by index. */
  readonly sessions = new Map<number, SessionInfo>();
  /** What filters keep with sessions. */
  readonly sessionState = new SessionState();
  readonly shared: SharedState;
  /** Where emitted datagrams may go besides their sessions. */
  readonly targets = new TargetTable();
  /** Sessions that filters want closed. */
  readonly closeRequests = new Set<number>();
  /** When datagrams of the ring may leave, by index, in the worker's milliseconds; 0 for at once. */
  ringDueMs = new Float64Array(0);
  hasRingDue = false;
  /** The datagrams outside of the ring; null until a filter has any. */
  detour: Detour<object> | null = null;

  constructor(env: FilterEnvironment) {
    this.env = env;
    this.clock = new FilterClock(env);
    this.shared = env.shared ?? new SharedState();
  }

  /** The datagrams outside of the ring, made when they are first needed: few chains have any. */
  needDetour(): Detour<object> {
    this.detour ??= new Detour();
    return this.detour;
  }
}

/** The host's side of one filter instance: all that its host calls read and write. */
export class GuestState {
  readonly plan: RunnableFilter;
  readonly host: ChainHost;
  readonly memory = new GuestMemory();
  readonly budget: GuestBudget;
  readonly metrics: FilterMetrics;
  readonly reasons: DropReasons;
  /** Indexes of the live sessions that are older than this instance. */
  readonly resumedSessions = new Set<number>();
  /** The context in whose name the guest runs; properties are looked up in it. */
  context = PLUGIN_CONTEXT;
  /** Milliseconds between ticks; 0 for none. */
  tickPeriodMs = 0;
  /** Where stream reports go while `msm_on_report` runs; null at other times. */
  reports: StreamReport[] | null = null;
  readonly timers = new GuestTimers();
  /** The data that a Proxy-Wasm network filter is shown; null for filters of the extension. */
  stream: GuestBuffer | null = null;
  /** Whether datagrams of this filter may leave the ring. */
  readonly canDivert: boolean;
  /** Sessions whose paused datagrams the call under way lets go on. */
  resumes: { readonly session: number; readonly isUpstream: boolean }[] = [];
  /** The sinks that it opened, by their handles. */
  readonly sinks: Sink[] = [];
  /** Where the filter sees datagrams; null until it is made. */
  window: BatchWindow | null = null;
  /** Reads the properties that only its kind of filter has; null where there are none. */
  readMore: ((name: string) => Uint8Array | undefined) | null = null;
  readonly #limiter: LogLimiter;

  /** `fuelFactor` multiplies the instructions of a call. */
  constructor(
    plan: RunnableFilter,
    host: ChainHost,
    fuelFactor = plan.script === undefined ? 1 : SCRIPT_FUEL_FACTOR,
  ) {
    this.plan = plan;
    this.host = host;
    this.budget = new GuestBudget(fuelFactor);
    this.canDivert = host.env.sendsOutgoing === true;
    this.metrics = new FilterMetrics(host.env, plan.name);
    this.reasons = new DropReasons(host.env, plan.name);
    this.#limiter = new LogLimiter(host.clock);
  }

  /** Turns whatever a call into the guest threw into the end of the instance. */
  toFailure(thrown: unknown, kind: FailureKind, call: string): FilterFailure {
    if (!this.budget.isOutOfFuel) return toFilterFailure(thrown, kind, call);
    return new FilterFailure("overrun", `${call}: it ran too many instructions`);
  }

  /** Logs text in the guest's memory, whose bounds were checked, unless the filter logs too much. */
  logGuestText(level: number, address: number, length: number): void {
    if (!this.#takeLogLine()) return;
    this.host.env.log(level, this.plan.name, this.memory.readText(address, Math.min(length, MAX_LOG_BYTES)));
  }

  /** Logs what the host has to say to whoever wrote the filter, within the filter's limit. */
  logHostText(text: string): void {
    if (this.#takeLogLine()) this.host.env.log(LogLevel.Warn, this.plan.name, text.slice(0, MAX_LOG_BYTES));
  }

  #takeLogLine(): boolean {
    if (!this.#limiter.take()) return false;
    const { suppressed } = this.#limiter;
    if (suppressed > 0) {
      this.#limiter.suppressed = 0;
      this.host.env.log(LogLevel.Warn, this.plan.name, `${suppressed} messages were held back`);
    }
    return true;
  }
}
