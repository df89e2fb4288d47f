// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { AF_INET } from "../../datapath/sockaddr.ts";
import { type LegRecords, RECORD_WORDS } from "../leg-records.ts";
import type { RunningLeg } from "./running-flow.ts";

/** Words of a `struct sockaddr_in6` that hold the address; the flow label before and the scope behind do not count. */
const IPV6_FIRST = 2;
const IPV6_LAST = 5;

type Words = Int32Array | Uint32Array;

/** Whether two `struct sockaddr`, at words of two memories, name the same port of the same address. */
export function isSameAddress(a: Words, at: number, b: Words, bt: number): boolean {
  if ((a[at]! | 0) !== (b[bt]! | 0)) return false;
  if ((a[at]! & 0xffff) === AF_INET) return (a[at + 1]! | 0) === (b[bt + 1]! | 0);
  return isSameHost(a, at, b, bt);
}

/** Whether two `struct sockaddr` name the same address, whatever the ports. */
export function isSameHost(a: Words, at: number, b: Words, bt: number): boolean {
  if ((a[at]! & 0xffff) !== (b[bt]! & 0xffff)) return false;
  if ((a[at]! & 0xffff) === AF_INET) return (a[at + 1]! | 0) === (b[bt + 1]! | 0);
  for (let i = IPV6_FIRST; i <= IPV6_LAST; i++) if ((a[at + i]! | 0) !== (b[bt + i]! | 0)) return false;
  return true;
}

/** Finds the leg that has an address among those that share a socket. */
export class AddressMap {
  readonly #records: LegRecords;
  /** Which of the leg's addresses: `LegWord.remote` or `remoteRtcp`. */
  readonly #field: number;
  readonly #byHash = new Map<number, RunningLeg[]>();
  readonly #hashOf = new Map<RunningLeg, number>();

  constructor(records: LegRecords, field: number) {
    this.#records = records;
    this.#field = field;
  }

  /** Adds a leg, or moves it to where its address is now. One whose address is not known cannot be found. */
  set(leg: RunningLeg): void {
    this.remove(leg);
    if (this.#records.addressLength(leg.record, this.#field) === 0) return;
    const hashed = hash(this.#records.words, leg.record * RECORD_WORDS + this.#field);
    const same = this.#byHash.get(hashed);
    if (same) same.push(leg);
    else this.#byHash.set(hashed, [leg]);
    this.#hashOf.set(leg, hashed);
  }

  remove(leg: RunningLeg): void {
    const hashed = this.#hashOf.get(leg);
    if (hashed === undefined) return;
    const rest = this.#byHash.get(hashed)!.filter((other) => other !== leg);
    if (rest.length > 0) this.#byHash.set(hashed, rest);
    else this.#byHash.delete(hashed);
    this.#hashOf.delete(leg);
  }

  /** The leg whose address stands at word `name` of `from`. */
  find(from: Uint32Array, name: number): RunningLeg | undefined {
    const candidates = this.#byHash.get(hash(from, name));
    if (candidates === undefined) return undefined;
    for (const leg of candidates) {
      if (isSameAddress(this.#records.words, leg.record * RECORD_WORDS + this.#field, from, name)) return leg;
    }
    return undefined;
  }
}

/** Small enough to be no heap number. The multipliers are those of MurmurHash3's finaliser. */
function hash(words: Words, at: number): number {
  let h = Math.imul(words[at]! ^ 0x9e3779b1, 0x85ebca6b) ^ words[at + 1]!;
  if ((words[at]! & 0xffff) !== AF_INET) {
    h = words[at]!;
    for (let i = IPV6_FIRST; i <= IPV6_LAST; i++) h = Math.imul(h ^ (h >>> 15), 0x85ebca6b) ^ words[at + i]!;
  }
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 2;
}
