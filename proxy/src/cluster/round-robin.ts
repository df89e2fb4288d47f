// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { EdfSchedule } from "./edf-schedule.ts";
import type { Candidate, Picker, PickerWorld } from "./picker.ts";
import { type SlowStart, slowStartFactor } from "./slow-start.ts";

/** Envoy's ROUND_ROBIN: in turn, and where weights differ or endpoints start slowly, evenly by weight. */
export function roundRobin(
  candidates: readonly Candidate[],
  slowStart: SlowStart | undefined,
  world: PickerWorld,
): Picker {
  const isEven = candidates.every(({ weight }) => weight === candidates[0]!.weight);
  return isEven && slowStart === undefined
    ? new TurnPicker(candidates.length, world.start)
    : new WeightedTurnPicker(candidates, slowStart, world);
}

class TurnPicker implements Picker {
  readonly #count: number;
  #next: number;

  constructor(count: number, start: number) {
    this.#count = count;
    this.#next = start % count;
  }

  pick(): number {
    const picked = this.#next;
    this.#next = picked + 1 === this.#count ? 0 : picked + 1;
    return picked;
  }
}

class WeightedTurnPicker implements Picker {
  readonly #candidates: readonly Candidate[];
  readonly #slowStart: SlowStart | undefined;
  readonly #world: PickerWorld;
  readonly #schedule: EdfSchedule;

  constructor(candidates: readonly Candidate[], slowStart: SlowStart | undefined, world: PickerWorld) {
    this.#candidates = candidates;
    this.#slowStart = slowStart;
    this.#world = world;
    const weights = candidates.map((candidate) => this.#weightOf(candidate));
    // A set that changes often would otherwise give its first turns to the same endpoints each time.
    this.#schedule = new EdfSchedule(weights, world.random);
  }

  pick(): number {
    const picked = this.#schedule.first;
    this.#schedule.advance(this.#weightOf(this.#candidates[picked]!));
    return picked;
  }

  #weightOf({ weight, sinceMs }: Candidate): number {
    if (this.#slowStart === undefined) return weight;
    return weight * slowStartFactor(this.#slowStart, this.#world.nowMs() - sinceMs);
  }
}
