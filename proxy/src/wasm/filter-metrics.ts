// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { MetricType, Status } from "./abi.ts";
import type { FilterEnvironment, MetricHandle, MetricKind } from "./filter-environment.ts";
import type { GuestMemory } from "./guest-memory.ts";
import { parseMetricName } from "./metric-name.ts";

/** Metrics that one instance may define: each holds a slot in shared memory for good. */
const MAX_METRICS = 256;

/** Histograms whose name ends so are recorded in nanoseconds and kept in seconds. */
const SECONDS_SUFFIX = "_seconds";
const NANOSECONDS_PER_SECOND = 1e9;

interface DefinedMetric {
  readonly kind: MetricKind;
  readonly handle: MetricHandle;
  /** What a recorded value is divided by. */
  readonly divisor: number;
}

interface MappedMetric {
  readonly metric: DefinedMetric;
  readonly address: number;
  lastLow: number;
  lastHigh: number;
}

/** The metrics of one filter instance: by host calls, or sampled from words in the guest's memory. */
export class FilterMetrics {
  readonly #env: FilterEnvironment;
  readonly #labels: Readonly<Record<string, string>>;
  readonly #ids = new Map<string, number>();
  readonly #metrics: DefinedMetric[] = [];
  readonly #mapped: MappedMetric[] = [];

  constructor(env: FilterEnvironment, filter: string) {
    this.#env = env;
    this.#labels = { filter, listener: env.listener };
  }

  /** The id of the metric, made at the first call with its name; -1 where type, name or number do not allow. */
  define(type: number, text: string): number {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    const kind = metricKind(type);
    const parsed = parseMetricName(text);
    if (kind === null || parsed === null || this.#metrics.length === MAX_METRICS) return -1;
    const handle = this.#env.defineMetric(kind, parsed.name, { ...parsed.labels, ...this.#labels });
    const isDuration = kind === "histogram" && parsed.name.endsWith(SECONDS_SUFFIX);
    const id = this.#metrics.push({ kind, handle, divisor: isDuration ? NANOSECONDS_PER_SECOND : 1 }) - 1;
    this.#ids.set(text, id);
    return id;
  }

  /** Adds to a counter or gauge; a counter never falls. */
  increment(id: number, delta: number): number {
    const metric = this.#metrics[id];
    if (metric === undefined) return Status.NotFound;
    if (metric.kind === "histogram" || (metric.kind === "counter" && delta < 0)) return Status.BadArgument;
    metric.handle.add(delta);
    return Status.Ok;
  }

  /** Sets a gauge, or observes a value in a histogram. */
  record(id: number, value: number): number {
    const metric = this.#metrics[id];
    if (metric === undefined) return Status.NotFound;
    if (metric.kind === "counter") return Status.BadArgument;
    if (metric.kind === "gauge") metric.handle.set(value);
    else metric.handle.observe(value / metric.divisor);
    return Status.Ok;
  }

  /** The value of a counter or gauge; null where there is none. */
  read(id: number): number | null {
    const metric = this.#metrics[id];
    return metric === undefined || metric.kind === "histogram" ? null : metric.handle.get();
  }

  /** Lets a counter or gauge follow the u64 at `address`, which the caller has checked. */
  map(id: number, address: number): number {
    const metric = this.#metrics[id];
    if (metric === undefined) return Status.NotFound;
    if (metric.kind === "histogram" || this.#mapped.length === MAX_METRICS) return Status.BadArgument;
    this.#mapped.push({ metric, address, lastLow: 0, lastHigh: 0 });
    return Status.Ok;
  }

  /** Brings the mapped metrics up to date. Once per batch and per tick; allocates nothing. */
  sample(memory: GuestMemory): void {
    memory.bind();
    const words = memory.words;
    for (let i = 0; i < this.#mapped.length; i++) {
      const mapped = this.#mapped[i]!;
      const low = words[mapped.address >>> 2]!;
      const high = words[(mapped.address >>> 2) + 1]!;
      if (low === mapped.lastLow && high === mapped.lastHigh) continue;
      const value = low + high * 0x1_0000_0000;
      if (mapped.metric.kind === "gauge") mapped.metric.handle.set(value);
      else addIncrease(mapped, value);
      mapped.lastLow = low;
      mapped.lastHigh = high;
    }
  }
}

/** A counter in guest memory may only rise; one that fell is a filter's mistake and is taken as the new start. */
function addIncrease(mapped: MappedMetric, value: number): void {
  const increase = value - (mapped.lastLow + mapped.lastHigh * 0x1_0000_0000);
  if (increase > 0) mapped.metric.handle.add(increase);
}

function metricKind(type: number): MetricKind | null {
  if (type === MetricType.Counter) return "counter";
  if (type === MetricType.Gauge) return "gauge";
  return type === MetricType.Histogram ? "histogram" : null;
}
