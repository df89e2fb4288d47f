// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
/** An endpoint with its place. */
export interface PlacedWeight {
  readonly weight: number;
  readonly locality: number;
  readonly localityWeight: number;
}

/**
 * The weights of `members` when localities share by their weights and endpoints by theirs within a locality. `all`
 * are the endpoints of the same priority, whatever their health: a locality of which too little is left gives up a
 * part of its share (Envoy, "Locality weighted load balancing"). A locality without weight gets nothing.
 */
export function localityWeights(
  members: readonly PlacedWeight[],
  all: readonly PlacedWeight[],
  overprovisioningFactor: number,
): readonly number[] {
  const totals = countByLocality(all);
  const counts = countByLocality(members);
  const sums = new Map<number, number>();
  for (const { locality, weight } of members) sums.set(locality, (sums.get(locality) ?? 0) + weight);
  return members.map(({ locality, localityWeight, weight }) => {
    const health = (counts.get(locality)! * overprovisioningFactor) / (100 * totals.get(locality)!);
    return (localityWeight * Math.min(1, health) * weight) / sums.get(locality)!;
  });
}

function countByLocality(endpoints: readonly PlacedWeight[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const { locality } of endpoints) counts.set(locality, (counts.get(locality) ?? 0) + 1);
  return counts;
}
