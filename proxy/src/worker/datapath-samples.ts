// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { CounterBlocks } from "../datapath/counter-blocks.ts";
import {
  type CounterDescription,
  type CounterPage,
  clusterCounters,
  listenerCounters,
} from "../datapath/counters.ts";
import type { HistogramValue, Sample } from "../stats/sample.ts";
import type { MetricDefinition, WorkerCluster } from "./protocol.ts";

/** A worker's counters and the metrics that its filters defined. */
interface MetricSource {
  readonly counters: CounterPage;
  readonly metrics: readonly MetricDefinition[];
}

/** Listeners' counters, by Envoy's names where it has them. Those of one `stat_prefix` are summed, as in Envoy. */
export function listenerSamples(
  listeners: readonly { readonly name: string; readonly statPrefix: string; readonly counters: number }[],
  blocks: CounterBlocks,
): readonly Sample[] {
  return listeners.flatMap(({ name, statPrefix, counters }) =>
    listenerCounters.map((description) =>
      toSample(description, blocks.total(counters + description.slot), "udp", { listener: name }, [
        "envoy_udp_prefix",
        statPrefix,
      ]),
    ),
  );
}

export function clusterSamples(clusters: readonly WorkerCluster[], blocks: CounterBlocks): readonly Sample[] {
  return clusters.flatMap(({ name, counters }) =>
    clusterCounters.map((description) =>
      toSample(description, blocks.total(counters + description.slot), "cluster", { cluster: name }, [
        "envoy_cluster_name",
        name,
      ]),
    ),
  );
}

function toSample(
  { kind, name, help, label }: CounterDescription,
  value: number,
  prefix: string,
  ownLabels: Readonly<Record<string, string>>,
  [tag, tagValue]: readonly [string, string],
): Sample {
  if (name.startsWith("msm_"))
    return { kind, name, help, labels: label ? { ...ownLabels, [label[0]]: label[1] } : ownLabels, value };
  return {
    kind,
    name: `${prefix}.${name}`,
    dottedName: `${prefix}.${tagValue}.${name}`,
    help,
    labels: { [tag]: tagValue },
    value,
  };
}

/** The metrics that filters defined, of listeners that are open. */
export function filterSamples(
  workers: readonly MetricSource[],
  isListener: (name: string) => boolean,
): readonly Sample[] {
  return workers.flatMap(({ counters, metrics }) =>
    metrics
      .filter(({ labels }) => labels.listener === undefined || isListener(labels.listener))
      .map(({ kind, name, labels, slot, bounds }) => {
        const value = kind === "histogram" ? histogramAt(counters, slot, bounds) : counters[slot]!;
        return { kind, name, labels, value };
      }),
  );
}

function histogramAt(counters: CounterPage, slot: number, bounds: readonly number[]): HistogramValue {
  let count = 0;
  const cumulative = bounds.map((_, bucket) => (count += counters[slot + bucket]!));
  return {
    bounds,
    cumulative,
    count: count + counters[slot + bounds.length]!,
    sum: counters[slot + bounds.length + 1]!,
  };
}

/** One sample for each name and set of labels: workers, and listeners that share a prefix, are added up. */
export function mergeSamples(samples: readonly Sample[]): readonly Sample[] {
  const merged = new Map<string, Sample>();
  for (const sample of samples) {
    const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
    const known = merged.get(key);
    merged.set(key, known ? { ...known, value: sum(known.value, sample.value) } : sample);
  }
  return [...merged.values()];
}

function sum(a: number | HistogramValue, b: number | HistogramValue): number | HistogramValue {
  if (typeof a === "number" || typeof b === "number") return Number(a) + Number(b);
  const cumulative = a.cumulative.map((count, bucket) => count + b.cumulative[bucket]!);
  return { bounds: a.bounds, cumulative, count: a.count + b.count, sum: a.sum + b.sum };
}
