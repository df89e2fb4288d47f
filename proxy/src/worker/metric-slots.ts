// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { COUNTER_SLOTS, type CounterPage, FIRST_FILTER_SLOT } from "../datapath/counters.ts";
import type { MetricHandle, MetricKind } from "../wasm/filter-environment.ts";
import type { MetricDefinition } from "./protocol.ts";

/** Bounds of a histogram of seconds: from a fifth of a 20 ms packet's time at 1/1000 to the length of a stall. */
const SECONDS_BOUNDS = [0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
/** Bounds of any other histogram: powers of four. */
const PLAIN_BOUNDS = Array.from({ length: 14 }, (_, i) => 4 ** i);

/** Hands out slots of the upper part of a worker's counter page to the metrics that its filters define. */
export class MetricSlots {
  readonly #page: CounterPage;
  readonly #announce: (definition: MetricDefinition) => void;
  readonly #known = new Map<string, MetricDefinition>();
  #next = FIRST_FILTER_SLOT;

  /** `inherited` are the definitions of an earlier incarnation of this worker. */
  constructor(
    page: CounterPage,
    inherited: readonly MetricDefinition[],
    announce: (definition: MetricDefinition) => void,
  ) {
    this.#page = page;
    this.#announce = announce;
    for (const definition of inherited) {
      this.#known.set(keyOf(definition.name, definition.labels), definition);
      this.#next = Math.max(this.#next, definition.slot + slotsOf(definition));
    }
  }

  /** The metric of this name and labels, made at the first call. Where no slot is left it counts into nowhere. */
  define(kind: MetricKind, name: string, labels: Readonly<Record<string, string>>): MetricHandle {
    const key = keyOf(name, labels);
    let definition = this.#known.get(key);
    if (definition === undefined) {
      const bounds = kind !== "histogram" ? [] : name.endsWith("_seconds") ? SECONDS_BOUNDS : PLAIN_BOUNDS;
      definition = { slot: this.#next, kind, name, labels, bounds };
      if (this.#next + slotsOf(definition) > COUNTER_SLOTS)
        return handleOf(new Float64Array(slotsOf(definition)), { ...definition, slot: 0 });
      this.#next += slotsOf(definition);
      this.#known.set(key, definition);
      this.#announce(definition);
    }
    return handleOf(this.#page, definition);
  }
}

/** One slot, or for a histogram one per bound (not cumulative), one for what lies above, and the sum. */
function slotsOf(definition: MetricDefinition): number {
  return definition.kind === "histogram" ? definition.bounds.length + 2 : 1;
}

function keyOf(name: string, labels: Readonly<Record<string, string>>): string {
  return JSON.stringify([name, Object.entries(labels).sort()]);
}

function handleOf(page: CounterPage, { slot, bounds }: MetricDefinition): MetricHandle {
  return {
    add(delta) {
      page[slot]! += delta;
    },
    set(value) {
      page[slot] = value;
    },
    observe(value) {
      let bucket = 0;
      while (bucket < bounds.length && value > bounds[bucket]!) bucket++;
      page[slot + bucket]! += 1;
      page[slot + bounds.length + 1]! += value;
    },
    get: () => page[slot]!,
  };
}
