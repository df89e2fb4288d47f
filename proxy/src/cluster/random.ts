// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Candidate, Picker, PickerWorld } from "./picker.ts";

/** RANDOM: by lot. Weights count here, while Envoy's RANDOM does not look at them. */
export class RandomPicker implements Picker {
  /** The sum of the weights up to and including each candidate. */
  readonly #sums: Float64Array;
  readonly #world: PickerWorld;

  constructor(candidates: readonly Candidate[], world: PickerWorld) {
    let sum = 0;
    this.#sums = Float64Array.from(candidates, ({ weight }) => (sum += weight));
    this.#world = world;
  }

  pick(): number {
    const sums = this.#sums;
    const lot = this.#world.random() * sums[sums.length - 1]!;
    let from = 0;
    let to = sums.length - 1;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (lot < sums[middle]!) to = middle;
      else from = middle + 1;
    }
    return from;
  }
}
