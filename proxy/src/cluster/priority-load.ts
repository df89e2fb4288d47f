// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
/** How many endpoints a level of priority has. */
export interface PriorityLevel {
  readonly healthy: number;
  readonly degraded: number;
  /** With those that are unhealthy or draining. */
  readonly total: number;
}

/** What a level of priority gets of new sessions, in percent. */
export interface PriorityLoad {
  readonly healthy: number;
  readonly degraded: number;
  /** The level's share goes to its endpoints whatever their health is. */
  readonly isInPanic: boolean;
}

/**
 * Spreads 100 percent over levels of priority as Envoy does ("Priority levels", "Degraded endpoints", "Panic
 * threshold"): each level takes what its well endpoints can carry with overprovisioning, the first ones first; what
 * is left goes to degraded endpoints in the same order; levels that together cannot carry all of it may panic.
 */
export function priorityLoads(
  levels: readonly PriorityLevel[],
  options: { readonly overprovisioningFactor: number; readonly panicThreshold: number },
): readonly PriorityLoad[] {
  const capacity = (count: number, total: number) =>
    total === 0 ? 0 : Math.min(100, Math.floor((options.overprovisioningFactor * count) / total));
  const healthy = levels.map((level) => capacity(level.healthy, level.total));
  const degraded = levels.map((level) => capacity(level.degraded, level.total));
  const available = Math.min(100, sum(healthy) + sum(degraded));
  const panics = levels.map((level) => available < 100 && isBelow(level, options.panicThreshold));
  if (panics.every((isInPanic) => isInPanic)) return loadsInTotalPanic(levels);
  if (available === 0) return levels.map(() => ({ healthy: 0, degraded: 0, isInPanic: false }));
  const loads = share([...healthy, ...degraded], available);
  return levels.map((_, level) => ({
    healthy: loads[level]!,
    degraded: loads[levels.length + level]!,
    isInPanic: panics[level]!,
  }));
}

function isBelow({ healthy, degraded, total }: PriorityLevel, threshold: number): boolean {
  const percent = total === 0 ? 0 : (100 * (healthy + degraded)) / total;
  return percent < threshold;
}

/** Fills 100 percent from the capacities in their order; what rounding leaves goes to the first that has any. */
function share(capacities: readonly number[], available: number): readonly number[] {
  let left = 100;
  const loads = capacities.map((capacity) => {
    const load = Math.min(left, Math.floor((capacity * 100) / available));
    left -= load;
    return load;
  });
  const first = capacities.findIndex((capacity) => capacity > 0);
  loads[first]! += left;
  return loads;
}

/** Where every level is in panic, endpoints share evenly, wherever they stand. */
function loadsInTotalPanic(levels: readonly PriorityLevel[]): readonly PriorityLoad[] {
  const total = sum(levels.map((level) => level.total));
  const loads =
    total === 0
      ? levels.map(() => 0)
      : share(
          levels.map((level) => level.total),
          total,
        );
  return loads.map((load) => ({ healthy: load, degraded: 0, isInPanic: true }));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
