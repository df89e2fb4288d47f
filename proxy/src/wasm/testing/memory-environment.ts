// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Stage } from "../abi.ts";
import type { FilterEnvironment, MetricHandle, MetricKind } from "../filter-environment.ts";

/** A message that a filter logged. */
export interface LogLine {
  readonly level: number;
  readonly filter: string;
  readonly message: string;
}

/** A filter environment in memory, with a clock that stands still until it is moved: for tests of filters. */
export class MemoryEnvironment implements FilterEnvironment {
  readonly worker = 0;
  readonly listener: string;
  /** Tests look at what a chain has outgoing. */
  readonly sendsOutgoing: boolean;
  readonly sendsToTargets: boolean;
  readonly stage?: number;
  readonly local = { address: "203.0.113.1", port: 5_004 };
  /** What was written to sinks, by their names: the header, then each record. */
  readonly sinks = new Map<string, Uint8Array[]>();
  /** Whether sinks take what is written, as where the disk is fast enough. */
  areSinksOpen = true;
  readonly logs: LogLine[] = [];
  /** Endpoints that there are, and those of the sessions that filters routed, by index. */
  readonly endpoints = new Set<string>();
  readonly routed = new Map<number, string>();
  /** Nanoseconds since the start of the test. */
  nowNs = 1_000_000_000n;
  readonly #metrics = new Map<string, MemoryMetric>();

  /** `sendsOutgoing` and `stage` as of a worker: at LISTENER nothing is kept to be sent later. */
  constructor(listener = "test", sendsOutgoing = true, stage?: number) {
    this.listener = listener;
    this.sendsOutgoing = sendsOutgoing && stage !== Stage.Listener;
    this.sendsToTargets = sendsOutgoing;
    if (stage !== undefined) this.stage = stage;
  }

  log(level: number, filter: string, message: string): void {
    this.logs.push({ level, filter, message });
  }

  defineMetric(_kind: MetricKind, name: string, labels: Readonly<Record<string, string>>): MetricHandle {
    const key = metricKey(name, labels);
    const metric = this.#metrics.get(key) ?? new MemoryMetric();
    this.#metrics.set(key, metric);
    return metric;
  }

  /** Sessions may go to any of `endpoints`. */
  routeSession = (session: number, endpoint: string): boolean => {
    if (!this.endpoints.has(endpoint)) return false;
    this.routed.set(session, endpoint);
    return true;
  };

  openSink = (name: string, header: Uint8Array) => {
    const written = [header];
    this.sinks.set(name, written);
    return { write: (bytes: Uint8Array) => this.areSinksOpen && written.push(bytes.slice()) > 0 };
  };

  monotonicNs(): bigint {
    return this.nowNs;
  }

  wallNs(): bigint {
    return MemoryEnvironment.wallNsAt(this.nowNs);
  }

  /** The wall clock at a monotonic time: some day in 2023, for sizes as in reality. */
  static wallNsAt(monotonicNs: bigint): bigint {
    return 1_700_000_000_000_000_000n + monotonicNs;
  }

  /**
   * Value of a counter or gauge by its name with the labels that differ from metric to metric, as
   * `name{reason="x"}`; 0 where it was not defined.
   */
  value(key: string): number {
    return this.#metrics.get(key)?.get() ?? 0;
  }

  /** What a histogram observed. */
  observations(key: string): readonly number[] {
    return this.#metrics.get(key)?.observed ?? [];
  }
}

class MemoryMetric implements MetricHandle {
  readonly observed: number[] = [];
  #value = 0;

  add(delta: number): void {
    this.#value += delta;
  }

  set(value: number): void {
    this.#value = value;
  }

  observe(value: number): void {
    this.observed.push(value);
  }

  get(): number {
    return this.#value;
  }
}

/** Filter and listener are the same for all metrics of a test and are left out. */
function metricKey(name: string, labels: Readonly<Record<string, string>>): string {
  const own = Object.entries(labels).filter(([label]) => label !== "filter" && label !== "listener");
  if (own.length === 0) return name;
  return `${name}{${own.map(([label, value]) => `${label}="${value}"`).join(",")}}`;
}
