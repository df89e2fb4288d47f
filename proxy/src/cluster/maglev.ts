// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Candidate, Picker } from "./picker.ts";
import { type Hash64, remainder64, xxHash64 } from "./xx-hash64.ts";

/** How an endpoint fills the table: the places that it prefers, in order, and when its turn comes. */
interface Row {
  readonly member: number;
  readonly offset: number;
  readonly skip: number;
  readonly weight: number;
  targetWeight: number;
  next: number;
}

/**
 * Envoy's MAGLEV (Eisenbud et al., NSDI 2016, section 3.4): endpoints take turns at claiming the places of a table of
 * prime size, each in its own order, heavier ones more often. The table is that of Envoy for the same endpoints.
 */
export class MaglevPicker implements Picker {
  readonly #table: Int32Array;
  readonly #hash: Hash64 = { high: 0, low: 0 };

  constructor(candidates: readonly Candidate[], tableSize: number) {
    this.#table = fillTable(candidates, tableSize);
  }

  pick(high: number, low: number): number {
    this.#hash.high = high;
    this.#hash.low = low;
    return this.#table[remainder64(this.#hash, this.#table.length)]!;
  }
}

function fillTable(candidates: readonly Candidate[], tableSize: number): Int32Array {
  const table = new Int32Array(tableSize).fill(-1);
  const rows = makeRows(candidates, tableSize);
  const heaviest = rows.reduce((maximum, { weight }) => Math.max(maximum, weight), 0);
  let filled = 0;
  for (let turn = 1; filled < tableSize; turn++) {
    for (const row of rows) {
      if (filled === tableSize) break;
      if (turn * row.weight < row.targetWeight) continue;
      row.targetWeight += heaviest;
      let place = placeOf(row, tableSize);
      while (table[place] !== -1) place = placeOf(row, tableSize);
      table[place] = row.member;
      filled++;
    }
  }
  return table;
}

/** The next place that an endpoint prefers. */
function placeOf(row: Row, tableSize: number): number {
  return (row.offset + row.skip * row.next++) % tableSize;
}

/** Endpoints claim in the order of their addresses, so that the order in which they were listed does not matter. */
function makeRows(candidates: readonly Candidate[], tableSize: number): readonly Row[] {
  const hash: Hash64 = { high: 0, low: 0 };
  const rows = candidates.map(({ key, weight }, member): Row & { readonly key: string } => {
    const bytes = Buffer.from(key, "latin1");
    xxHash64(bytes, bytes.length, hash);
    const offset = remainder64(hash, tableSize);
    xxHash64(bytes, bytes.length, hash, 1);
    const skip = remainder64(hash, tableSize - 1) + 1;
    return { key, member, offset, skip, weight, targetWeight: 0, next: 0 };
  });
  return rows.sort((a, b) => (a.key < b.key ? -1 : 1));
}
