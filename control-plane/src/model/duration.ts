// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/**
 * Reads a duration in the Gateway API's format (GEP-2257: `1h30m`, `60s`, `500ms`) as milliseconds; undefined
 * when it is not one.
 */
export function parseDuration(text: string): number | undefined {
  if (!/^([0-9]{1,5}(h|m|s|ms)){1,4}$/.test(text)) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/([0-9]{1,5})(ms|h|m|s)/g)) {
    total += Number(count) * UNIT_MS[unit!]!;
  }
  return total;
}
