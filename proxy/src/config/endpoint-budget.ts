// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { ResourceValues } from "./read-resource.ts";
import { refuse } from "./refuse.ts";
import type { ResourceType } from "./resource.ts";
import type { ResourceTables } from "./store.ts";

/**
 * Endpoints of all clusters together. There are counters for more than three times as many: those that come, those that
 * go and those that linger are there at the same time.
 */
export const MAX_ENDPOINTS = 100_000;

/** What one update may add to the endpoints that the tables hold. */
export class EndpointBudget {
  readonly #most: number;
  #left: number;

  constructor(
    { cluster, clusterLoadAssignment }: Pick<ResourceTables, "cluster" | "clusterLoadAssignment">,
    most: number,
  ) {
    this.#most = most;
    this.#left = most;
    for (const { value } of [...cluster.accepted(), ...clusterLoadAssignment.accepted()]) {
      this.#left -= countOf(value);
    }
  }

  /** Takes what a resource has more than its form before. Refuses where that is more than what is left. */
  take(value: ResourceValues[ResourceType], before: ResourceValues[ResourceType] | undefined, path: string) {
    const count = countOf(value);
    const more = count - (before === undefined ? 0 : countOf(before));
    if (more > 0 && more > this.#left) {
      const problem = `has ${count} endpoints, ${more - this.#left} too many: all clusters together may have ${this.#most}`;
      refuse("MSM_CLUSTER_CAPACITY", path, problem);
    }
    this.#left -= more;
  }
}

/** The endpoints that a cluster or an assignment names; none of anything else. */
function countOf(value: ResourceValues[ResourceType]): number {
  if ("planned" in value) return value.planned.length;
  const names = "balancing" in value && value.endpoints.kind !== "eds";
  return names ? value.endpoints.assignment.planned.length : 0;
}
