// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Sample } from "./sample.ts";

/** How a counter or a gauge of the main thread is named. */
export interface StatName {
  /** Envoy's dotted name without the values of tags, or our own Prometheus name. */
  readonly name: string;
  readonly help: string;
  /** The name with the values of tags in place, where there are tags. */
  readonly dottedName?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A number that only grows. */
export interface Counter {
  add(delta?: number): void;
}

/** A number that is set. */
export interface Gauge {
  set(value: number): void;
}

/** The counters and gauges of the main thread. Asking for one of the same name again gives the same one. */
export class StatsRegistry {
  readonly #stats = new Map<
    string,
    { readonly kind: "counter" | "gauge"; readonly name: StatName; value: number }
  >();

  counter(name: StatName): Counter {
    const stat = this.#stat("counter", name);
    return {
      add(delta = 1) {
        stat.value += delta;
      },
    };
  }

  gauge(name: StatName): Gauge {
    const stat = this.#stat("gauge", name);
    return {
      set(value) {
        stat.value = value;
      },
    };
  }

  /** What all of them are now. */
  samples(): readonly Sample[] {
    return [...this.#stats.values()].map(({ kind, name, value }) => ({ ...toSample(name), kind, value }));
  }

  #stat(kind: "counter" | "gauge", name: StatName) {
    const key = name.dottedName ?? name.name;
    const known = this.#stats.get(key);
    if (known !== undefined) return known;
    const stat = { kind, name, value: 0 };
    this.#stats.set(key, stat);
    return stat;
  }
}

function toSample({ name, help, dottedName, labels }: StatName): Omit<Sample, "kind" | "value"> {
  return { name, help, dottedName: dottedName ?? name, labels: labels ?? {} };
}

/** A gauge that is computed when asked for. */
export function gaugeSample(name: StatName, value: number): Sample {
  return { ...toSample(name), kind: "gauge", value };
}
