// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type Metric, Registry } from "prom-client";
import { prometheusName } from "./prometheus-name.ts";
import type { HistogramValue, Sample } from "./sample.ts";

/** The content type of the text that `renderPrometheus` writes. */
export const prometheusContentType: string = Registry.PROMETHEUS_CONTENT_TYPE;

interface Value {
  readonly value: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly metricName: string;
}

/** Writes samples in the Prometheus text format, with HELP and TYPE once for each name, sorted by name. */
export async function renderPrometheus(samples: readonly Sample[]): Promise<string> {
  const byName = new Map<string, Sample[]>();
  for (const sample of samples) {
    const name = prometheusName(sample.name);
    const group = byName.get(name);
    if (group === undefined) byName.set(name, [sample]);
    else group.push(sample);
  }
  const registry = new Registry();
  for (const name of [...byName.keys()].sort()) {
    registry.registerMetric(readyMetric(name, byName.get(name) ?? []));
  }
  return registry.metrics();
}

/** A metric whose values are there already: the registry only ever asks for its name and for `get()`. */
function readyMetric(name: string, samples: readonly Sample[]): Metric {
  const [first] = samples;
  const metric = {
    name,
    help: first?.help ?? `${first?.name ?? name}, as /stats has it`,
    type: first?.kind ?? "gauge",
    values: samples.flatMap((sample) => valuesOf(name, sample)),
  };
  return { name, get: () => Promise.resolve(metric) } as unknown as Metric;
}

function valuesOf(name: string, { labels, value }: Sample): readonly Value[] {
  if (typeof value === "number") return [{ value, labels, metricName: name }];
  return [
    ...buckets(value).map(([le, count]) => ({
      value: count,
      labels: { ...labels, le },
      metricName: `${name}_bucket`,
    })),
    { value: value.sum, labels, metricName: `${name}_sum` },
    { value: value.count, labels, metricName: `${name}_count` },
  ];
}

function buckets(histogram: HistogramValue): readonly (readonly [string, number])[] {
  const finite = histogram.bounds.map((bound, i) => [String(bound), histogram.cumulative[i] ?? 0] as const);
  return [...finite, ["+Inf", histogram.count]];
}
