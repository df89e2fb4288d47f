// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";

/** What a sum is made of. */
interface Summand {
  readonly name: string;
  readonly version: string;
}

/**
 * A sum over resources, whatever their order: eight numbers of 32 bits. What comes or goes changes it by its own
 * digest, so that the sum of a set follows from that of the set before.
 */
export type SetSum = Uint32Array;

const WORDS = 8;
const digests = new WeakMap<Summand, SetSum>();

/** The sum of some resources. */
export function sumOf(entries: Iterable<Summand>): SetSum {
  const sum = new Uint32Array(WORDS);
  for (const entry of entries) add(sum, entry);
  return sum;
}

/** Another sum, with what came and without what went. */
export function changedSum(before: SetSum, came: Iterable<Summand>, went: Iterable<Summand>): SetSum {
  const sum = Uint32Array.from(before);
  for (const entry of came) add(sum, entry);
  for (const entry of went) subtract(sum, entry);
  return sum;
}

function add(sum: SetSum, entry: Summand): void {
  const digest = digestOf(entry);
  for (let word = 0; word < WORDS; word++) sum[word]! += digest[word]!;
}

function subtract(sum: SetSum, entry: Summand): void {
  const digest = digestOf(entry);
  for (let word = 0; word < WORDS; word++) sum[word]! -= digest[word]!;
}

function digestOf(entry: Summand): SetSum {
  const known = digests.get(entry);
  if (known !== undefined) return known;
  const hash = createHash("sha256").update(`${entry.name}\0${entry.version}`).digest();
  const digest = Uint32Array.from({ length: WORDS }, (_, word) => hash.readUInt32LE(word * 4));
  digests.set(entry, digest);
  return digest;
}
