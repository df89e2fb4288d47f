// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { AF_INET } from "./sockaddr.ts";
import { TokenBucket } from "./token-bucket.ts";

/** Where clients of a listener are: an IPv4 address, or an IPv6 network of 64 bits, which one host may have whole. */
interface Source {
  readonly hash: number;
  readonly family: number;
  readonly high: number;
  readonly low: number;
  readonly bucket: TokenBucket | undefined;
  sessions: number;
}

/** The sources that have sessions, and no others: what it holds is bounded by the sessions that there may be. */
export class SourceTable {
  readonly #perSecond: number | undefined;
  readonly #byHash = new Map<number, Source[]>();
  /** By session. */
  readonly #ofSession: (Source | undefined)[] = [];

  /** `perSecond` datagrams may come from each source, any number where it is undefined. */
  constructor(perSecond: number | undefined) {
    this.#perSecond = perSecond;
  }

  /** How many sources have sessions. */
  get size(): number {
    let size = 0;
    for (const sources of this.#byHash.values()) size += sources.length;
    return size;
  }

  /** The sessions of the source whose `struct sockaddr` stands at word `at`. */
  sessionsOf(words: Words, at: number): number {
    return this.#find(words, at)?.sessions ?? 0;
  }

  /** Notes that a session was opened for a client at that address. */
  add(session: number, words: Words, at: number): void {
    const source = this.#find(words, at) ?? this.#create(words, at);
    source.sessions++;
    this.#ofSession[session] = source;
  }

  /** Notes that a session was closed. */
  remove(session: number): void {
    const source = this.#ofSession[session];
    this.#ofSession[session] = undefined;
    if (source === undefined || --source.sessions > 0) return;
    const rest = this.#byHash.get(source.hash)!.filter((other) => other !== source);
    if (rest.length > 0) this.#byHash.set(source.hash, rest);
    else this.#byHash.delete(source.hash);
  }

  /** Whether the source of a session may send `count` datagrams now; then they are taken. */
  take(session: number, count: number, nowMs: number): boolean {
    const bucket = this.#ofSession[session]?.bucket;
    if (bucket === undefined) return true;
    bucket.fill(nowMs);
    return bucket.take(count);
  }

  #find(words: Words, at: number): Source | undefined {
    const sources = this.#byHash.get(hashOf(words, at));
    if (sources === undefined) return undefined;
    for (const source of sources) {
      const isMeant =
        source.family === (words[at]! & 0xffff) &&
        source.high === highOf(words, at) &&
        source.low === lowOf(words, at);
      if (isMeant) return source;
    }
    return undefined;
  }

  #create(words: Words, at: number): Source {
    const hash = hashOf(words, at);
    const source: Source = {
      hash,
      family: words[at]! & 0xffff,
      high: highOf(words, at),
      low: lowOf(words, at),
      bucket: this.#perSecond === undefined ? undefined : new TokenBucket(this.#perSecond),
      sessions: 0,
    };
    const same = this.#byHash.get(hash);
    if (same) same.push(source);
    else this.#byHash.set(hash, [source]);
    return source;
  }
}

type Words = Uint32Array | Int32Array;

function isIpv4(words: Words, at: number): boolean {
  return (words[at]! & 0xffff) === AF_INET;
}

function highOf(words: Words, at: number): number {
  return isIpv4(words, at) ? words[at + 1]! | 0 : words[at + 2]! | 0;
}

function lowOf(words: Words, at: number): number {
  return isIpv4(words, at) ? 0 : words[at + 3]! | 0;
}

/** Small enough to be no heap number. The multipliers are those of MurmurHash3's finaliser. */
function hashOf(words: Words, at: number): number {
  let h = Math.imul(highOf(words, at) ^ 0x9e3779b1, 0x85ebca6b) ^ lowOf(words, at);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 2;
}
