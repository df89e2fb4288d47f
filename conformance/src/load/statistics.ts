// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * Ratios of two rows that were measured in turn: round by round, so that what disturbed one round disturbs its
 * reference, too.
 */
export function ratios(values: readonly number[], reference: readonly number[]): readonly number[] {
  return values.map((value, round) => value / reference[round]!);
}
