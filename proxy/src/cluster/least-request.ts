// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { EdfSchedule } from "./edf-schedule.ts";
import { LeastBitsPicker } from "./least-bits.ts";
import type { Candidate, Picker, PickerWorld } from "./picker.ts";
import { type SlowStart, slowStartFactor } from "./slow-start.ts";

/** Options of LEAST_REQUEST, by Envoy's names. */
export interface LeastRequestOptions {
  /** How many endpoints are drawn, the one with the fewest sessions of which is taken; at least 2. */
  readonly choiceCount: number;
  /** How much sessions count against weight: 0 not at all. */
  readonly activeRequestBias: number;
  readonly slowStart: SlowStart | undefined;
  /** What is compared: sessions unless said. */
  readonly leastBy?: LeastBy;
}

/** What LEAST_REQUEST can compare. */
export type LeastBy = "sessions" | "bits_per_second";

/**
 * Envoy's LEAST_REQUEST, where a session is a request: the best of a few drawn at random, or where weights differ
 * or endpoints start slowly, in turn by weight divided by (sessions + 1) to the power of the bias.
 */
export function leastRequest(
  candidates: readonly Candidate[],
  options: LeastRequestOptions,
  world: PickerWorld,
): Picker {
  if (options.leastBy === "bits_per_second") return new LeastBitsPicker(candidates, options, world);
  const isEven = candidates.every(({ weight }) => weight === candidates[0]!.weight);
  return isEven && options.slowStart === undefined
    ? new ChoicePicker(candidates, options.choiceCount, world)
    : new WeightedLeastPicker(candidates, options, world);
}

class ChoicePicker implements Picker {
  readonly #candidates: readonly Candidate[];
  readonly #choiceCount: number;
  readonly #world: PickerWorld;

  constructor(candidates: readonly Candidate[], choiceCount: number, world: PickerWorld) {
    this.#candidates = candidates;
    this.#choiceCount = choiceCount;
    this.#world = world;
  }

  pick(): number {
    const { random, activeSessions } = this.#world;
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let choice = 0; choice < this.#choiceCount; choice++) {
      const drawn = Math.floor(random() * this.#candidates.length);
      const active = activeSessions(this.#candidates[drawn]!.counters);
      if (active >= least) continue;
      best = drawn;
      least = active;
    }
    return best;
  }
}

class WeightedLeastPicker implements Picker {
  readonly #candidates: readonly Candidate[];
  readonly #options: LeastRequestOptions;
  readonly #world: PickerWorld;
  readonly #schedule: EdfSchedule;

  constructor(candidates: readonly Candidate[], options: LeastRequestOptions, world: PickerWorld) {
    this.#candidates = candidates;
    this.#options = options;
    this.#world = world;
    const weights = candidates.map((candidate) => this.#weightOf(candidate));
    this.#schedule = new EdfSchedule(weights, world.random);
  }

  pick(): number {
    const picked = this.#schedule.first;
    this.#schedule.advance(this.#weightOf(this.#candidates[picked]!));
    return picked;
  }

  #weightOf({ weight, sinceMs, counters }: Candidate): number {
    const { activeRequestBias, slowStart } = this.#options;
    const active = this.#world.activeSessions(counters);
    const shared = weight / (active + 1) ** activeRequestBias;
    if (slowStart === undefined) return shared;
    return shared * slowStartFactor(slowStart, this.#world.nowMs() - sinceMs);
  }
}
