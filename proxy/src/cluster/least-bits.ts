// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { LeastRequestOptions } from "./least-request.ts";
import type { Candidate, Picker, PickerWorld } from "./picker.ts";
import { slowStartFactor } from "./slow-start.ts";

/**
 * LEAST_REQUEST by bits per second: of a few drawn at random, the one whose sessions carry least for its weight. Sessions
 * that came since the last measurement count as much as a session of the cluster does on average.
 */
export class LeastBitsPicker implements Picker {
  readonly #candidates: readonly Candidate[];
  readonly #options: LeastRequestOptions;
  readonly #world: PickerWorld;
  /** Bytes a second of a session of the cluster, as last measured. */
  #perSession = 0;

  constructor(candidates: readonly Candidate[], options: LeastRequestOptions, world: PickerWorld) {
    this.#candidates = candidates;
    this.#options = options;
    this.#world = world;
  }

  pick(): number {
    this.#measure();
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    let fewest = Number.POSITIVE_INFINITY;
    for (let choice = 0; choice < this.#options.choiceCount; choice++) {
      const drawn = Math.floor(this.#world.random() * this.#candidates.length);
      const candidate = this.#candidates[drawn]!;
      const sessions = this.#world.activeSessions(candidate.counters) / candidate.weight;
      const load = this.#loadOf(candidate);
      // While nothing is carried, as before the first measurement, sessions decide.
      if (load > least || (load === least && sessions >= fewest)) continue;
      best = drawn;
      least = load;
      fewest = sessions;
    }
    return best;
  }

  /** The first meter says when it is time for all of them. */
  #measure(): void {
    const { activeSessions, bytes, nowMs } = this.#world;
    const now = nowMs();
    let rate = 0;
    let sessions = 0;
    for (const { meter, counters } of this.#candidates) {
      if (meter === undefined || !meter.measure(bytes(counters), activeSessions(counters), now)) return;
      rate += meter.rate;
      sessions += meter.sessions;
    }
    this.#perSession = sessions === 0 ? 0 : rate / sessions;
  }

  #loadOf({ meter, counters, weight, sinceMs }: Candidate): number {
    if (meter === undefined) return 0;
    const { slowStart } = this.#options;
    const fresh = Math.max(0, this.#world.activeSessions(counters) - meter.sessions);
    const load = (meter.rate + fresh * this.#perSession) / weight;
    return slowStart === undefined ? load : load / slowStartFactor(slowStart, this.#world.nowMs() - sinceMs);
  }
}
