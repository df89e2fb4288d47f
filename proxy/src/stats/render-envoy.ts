// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { HistogramValue, Sample } from "./sample.ts";

/** The name under which `/stats` has a sample: dotted, or a Prometheus name with its labels. */
export function statName({ name, dottedName, labels }: Sample): string {
  if (dottedName !== undefined) return dottedName;
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(",")}}`;
}

/** Envoy's text form: a line per statistic, counters and gauges by name, then histograms with their buckets. */
export function renderText(samples: readonly Sample[]): string {
  const plain = sorted(samples.filter(({ value }) => typeof value === "number"));
  const histograms = sorted(samples.filter(({ value }) => typeof value !== "number"));
  const lines = [
    ...plain.map((sample) => `${statName(sample)}: ${sample.value}`),
    ...histograms.map((sample) => `${statName(sample)}: ${bucketText(sample.value as HistogramValue)}`),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** Envoy's JSON form: `{stats: [{name, value}, ..., {histograms: [...]}]}`, with buckets where there are any. */
export function renderJson(samples: readonly Sample[]): string {
  const stats: object[] = [];
  const histograms: object[] = [];
  for (const sample of sorted(samples)) {
    const name = statName(sample);
    if (typeof sample.value === "number") stats.push({ name, value: sample.value });
    else histograms.push({ name, buckets: bucketsOf(sample.value) });
  }
  if (histograms.length > 0) stats.push({ histograms });
  return JSON.stringify({ stats });
}

interface Bucket {
  readonly upper_bound: number;
  readonly interval: number;
  readonly cumulative: number;
}

/** There are no intervals here: both numbers of a bucket count from the start. */
function bucketsOf({ bounds, cumulative }: HistogramValue): readonly Bucket[] {
  return bounds.map((bound, i) => {
    const count = cumulative[i] ?? 0;
    return { upper_bound: bound, interval: count, cumulative: count };
  });
}

function bucketText(histogram: HistogramValue): string {
  if (histogram.count === 0) return "No recorded values";
  return bucketsOf(histogram)
    .map((bucket) => `B${bucket.upper_bound}(${bucket.interval},${bucket.cumulative})`)
    .join(" ");
}

function sorted(samples: readonly Sample[]): readonly Sample[] {
  return samples.toSorted((a, b) => (statName(a) < statName(b) ? -1 : 1));
}
