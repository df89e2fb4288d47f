// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { FilterPlan } from "../plan.ts";
import { LogLevel, PLUGIN_CONTEXT } from "./abi.ts";
import type { BatchWindow } from "./batch-window.ts";
import { DropReasons } from "./drop-reasons.ts";
import { FilterClock } from "./filter-clock.ts";
import type { FilterEnvironment, SessionInfo } from "./filter-environment.ts";
import { FilterMetrics } from "./filter-metrics.ts";
import { GuestMemory } from "./guest-memory.ts";
import { LogLimiter } from "./log-limiter.ts";
import type { StreamReport } from "./stream-report.ts";

/** What the filters of one chain share; a chain that replaces another takes it over. */
export class ChainHost {
  readonly env: FilterEnvironment;
  readonly clock: FilterClock;
  /** The live sessions by index. */
  readonly sessions = new Map<number, SessionInfo>();

  constructor(env: FilterEnvironment) {
    this.env = env;
    this.clock = new FilterClock(env);
  }
}

/** The host's side of one filter instance: all that its host calls read and write. */
export class GuestState {
  readonly plan: FilterPlan;
  readonly host: ChainHost;
  readonly memory = new GuestMemory();
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
  /** Where the filter sees datagrams; null until it is made. */
  window: BatchWindow | null = null;
  readonly #limiter: LogLimiter;

  constructor(plan: FilterPlan, host: ChainHost) {
    this.plan = plan;
    this.host = host;
    this.metrics = new FilterMetrics(host.env, plan.name);
    this.reasons = new DropReasons(host.env, plan.name);
    this.#limiter = new LogLimiter(host.clock);
  }

  /** Logs text in the guest's memory, whose bounds were checked, unless the filter logs too much. */
  logGuestText(level: number, address: number, length: number): void {
    if (!this.#limiter.take()) return;
    const { suppressed } = this.#limiter;
    if (suppressed > 0) {
      this.#limiter.suppressed = 0;
      this.host.env.log(LogLevel.Warn, this.plan.name, `${suppressed} messages were held back`);
    }
    this.host.env.log(level, this.plan.name, this.memory.readText(address, length));
  }
}
