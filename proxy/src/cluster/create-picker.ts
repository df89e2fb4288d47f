// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { BalancingPolicy } from "./balancing-plan.ts";
import { leastRequest } from "./least-request.ts";
import { MaglevPicker } from "./maglev.ts";
import type { Candidate, Picker, PickerWorld } from "./picker.ts";
import { RandomPicker } from "./random.ts";
import { RingHashPicker } from "./ring-hash.ts";
import { roundRobin } from "./round-robin.ts";

/** Makes the picker of a policy over candidates, of which there is at least one. */
export function createPicker(
  policy: BalancingPolicy,
  candidates: readonly Candidate[],
  world: PickerWorld,
): Picker {
  switch (policy.kind) {
    case "ROUND_ROBIN":
      return roundRobin(candidates, policy.slowStart, world);
    case "LEAST_REQUEST":
      return leastRequest(candidates, policy, world);
    case "RANDOM":
      return new RandomPicker(candidates, world);
    case "RING_HASH":
      return new RingHashPicker(candidates, policy);
    case "MAGLEV":
      return new MaglevPicker(candidates, policy.tableSize);
  }
}
