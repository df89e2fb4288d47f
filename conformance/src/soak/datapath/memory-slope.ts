// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What a run needs until caches, compiled code and the allocator's arenas have the size that they keep. */
const WARM_UP = 0.4;

interface MemorySample {
  readonly minutes: number;
  readonly mib: number;
}

/** Resident memory of this process over time. */
export class MemorySlope {
  readonly #samples: MemorySample[] = [];
  readonly #collect: () => void;
  readonly #startedMs = performance.now();

  constructor() {
    setFlagsFromString("--expose-gc");
    this.#collect = runInNewContext("gc") as () => void;
  }

  /** Collects garbage and takes a sample; returns it in MiB. */
  sample(): number {
    this.#collect();
    const mib = process.memoryUsage.rss() / 2 ** 20;
    this.#samples.push({ minutes: (performance.now() - this.#startedMs) / 60_000, mib });
    return mib;
  }

  /** By least squares over all samples but those of the warm-up: MiB per minute, and how much that is for their time. */
  slope(): { readonly mibPerMinute: number; readonly growthMib: number } {
    const samples = this.#samples.slice(Math.floor(this.#samples.length * WARM_UP));
    const mean = (read: (sample: MemorySample) => number) =>
      samples.reduce((sum, sample) => sum + read(sample), 0) / samples.length;
    const [minutes, mib] = [mean((each) => each.minutes), mean((each) => each.mib)];
    const above = mean((each) => (each.minutes - minutes) * (each.mib - mib));
    const spread = mean((each) => (each.minutes - minutes) ** 2);
    const mibPerMinute = spread === 0 ? 0 : above / spread;
    const lasted = samples.length === 0 ? 0 : samples.at(-1)!.minutes - samples[0]!.minutes;
    return { mibPerMinute, growthMib: mibPerMinute * lasted };
  }
}
