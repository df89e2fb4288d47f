// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { WorkerClusterChange } from "./protocol.ts";

/** What a part may cost: a worker takes about 1 µs for a point, so that datagrams wait some 10 ms for it. */
const MOST = 10_000;
/** An endpoint that is new or changed. */
const FRESH = 10;
/** One that stands there by its number. */
const KNOWN = 1;

/**
 * Cuts changes of clusters into parts that a worker takes over one at a time, with datagrams in between. A cluster stays
 * whole; the order stays.
 */
export function clusterParts(
  changes: readonly WorkerClusterChange[],
  most = MOST,
): readonly (readonly WorkerClusterChange[])[] {
  const parts: WorkerClusterChange[][] = [];
  let left = 0;
  for (const change of changes) {
    const cost = costOf(change);
    if (parts.length === 0 || cost > left) {
      parts.push([]);
      left = most;
    }
    parts.at(-1)!.push(change);
    left -= cost;
  }
  return parts;
}

function costOf({ endpoints }: WorkerClusterChange): number {
  return endpoints.reduce<number>((sum, each) => sum + (typeof each === "number" ? KNOWN : FRESH), 0);
}
