// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { FilterHarness } from "../filter-harness.ts";
import { rtp } from "../rtp.ts";

const NS_PER_MS = 1e6;
const DESCRIPTOR_WORDS = 16;

/** Datagrams in one sample; the median of so many samples is what counts, the first of which only warm up. */
const DATAGRAMS = 20_000;
const ROUNDS = 25;

/** What a filter costs for one kind of traffic. */
export interface BenchRow {
  readonly what: string;
  /** Median, nanoseconds a datagram, with the copies into and out of the filter's memory. */
  readonly nsPerDatagram: number;
}

/** Measures the filter in `folder`: as a built-in filter and as a plugin, in batches and one by one. */
export async function benchFilter(folder: string, config: unknown = {}): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const trust of ["builtin", "plugin"] as const) {
    for (const [batch, payload] of [
      [64, 1_316],
      [64, 160],
      [1, 1_316],
    ] as const) {
      const harness = await FilterHarness.load(folder, config, { trust });
      const packets = Array.from({ length: batch }, (_, i) => rtp({ sequenceNumber: i, payload }));
      const what = `${trust === "builtin" ? "as built-in" : "as plugin"}, batch of ${batch}, ${payload + 12} bytes`;
      rows.push({ what, nsPerDatagram: measure(harness, packets) });
    }
  }
  return rows;
}

function measure(harness: FilterHarness, packets: readonly Uint8Array[]): number {
  const batch = harness.stage(packets);
  const first = batch.descriptors >>> 2;
  const asStaged = batch.words.slice(first, first + batch.count * DESCRIPTOR_WORDS);
  const turns = Math.ceil(DATAGRAMS / packets.length);
  const samples: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now();
    for (let turn = 0; turn < turns; turn++) {
      // A filter may have dropped or moved what it saw; a copy of the descriptors costs next to nothing.
      batch.words.set(asStaged, first);
      harness.runStaged(batch);
    }
    samples.push(((performance.now() - startedAt) * NS_PER_MS) / turns / packets.length);
  }
  return samples.sort((a, b) => a - b)[ROUNDS >> 1]!;
}
