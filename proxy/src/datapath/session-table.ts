// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { LOCAL_WORDS } from "./local-address.ts";
import { ProbeTable } from "./probe-table.ts";
import { AF_INET, SOCKADDR_WORDS, sockaddrLength } from "./sockaddr.ts";

/** One record, two cache lines. */
const RECORD_WORDS = 32;
const RECORD_BYTES = RECORD_WORDS * 4;
const PAGE_BYTES = 65_536;

/**
 * Word offsets in a record. The addresses of client and endpoint are `struct sockaddr_in` or `sockaddr_in6`, as system calls
 * take them; `local` is that of `local-address.ts`.
 */
const Field = {
  state: 0,
  socket: 1,
  listener: 2,
  flags: 3,
  client: 4,
  local: 11,
  endpoint: 16,
  endpointId: 23,
  /** A float64, so at an even word: when the last datagram passed, in milliseconds of the monotonic clock. */
  lastActive: 24,
  clusterCounters: 26,
  endpointCounters: 27,
  keyLow: 28,
  keyHigh: 29,
  port: 30,
} as const;
const Open = 1;
/** The path to this session's peer refuses segmentation offload. */
const NoSegmentation = 1;
/** The session is found by a key that a filter read from its datagrams, not by its client's address. */
const Keyed = 2;
/** The client's datagrams come to the address in `local`, one of several that its listener has. */
const HasLocal = 4;

/** The endpoint of a session as its record keeps it. */
export interface SessionEndpoint {
  readonly id: number;
  /** `struct sockaddr_in` or `sockaddr_in6`. */
  readonly sockaddr: Uint8Array;
  readonly sockaddrLength: number;
  /** First slot of the counters of the endpoint's cluster. */
  readonly clusterCounters: number;
  /** First slot of its own counters. */
  readonly counters: number;
}

/** Shared memory for `capacity` sessions of one worker. It outlives the worker: a successor adopts the sessions. */
export function createSessionMemory(capacity: number): WebAssembly.Memory {
  const pages = Math.ceil((capacity * RECORD_BYTES) / PAGE_BYTES);
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

/**
 * The sessions of one worker: Envoy's UDP session, a downstream client of a listener, and a port to one upstream endpoint that no
 * other session to that endpoint has. Found by listener, client address and, where the listener has several, the local address
 * that the client speaks to; or by a key. The records lie in shared memory, so that sockets and affinity survive the worker;
 * the index over them is private and made anew by each worker.
 */
export class SessionTable {
  readonly capacity: number;
  /** The records, as bytes and as 32-bit words. */
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly #times: Float64Array;
  readonly #table: ProbeTable;
  /** That of the table. */
  readonly #index: Int32Array;
  readonly #mask: number;
  readonly #free: Int32Array;
  #freeCount = 0;
  #end = 0;

  constructor(memory: WebAssembly.Memory) {
    this.bytes = new Uint8Array(memory.buffer);
    this.words = new Int32Array(memory.buffer);
    this.#times = new Float64Array(memory.buffer);
    this.capacity = memory.buffer.byteLength / RECORD_BYTES;
    this.#table = new ProbeTable(this.capacity, (session) => this.#hashOf(session));
    this.#index = this.#table.slots;
    this.#mask = this.#table.mask;
    this.#free = new Int32Array(this.capacity);
    this.#adopt();
  }

  /** Sessions that are open. */
  get size(): number {
    return this.#end - this.#freeCount;
  }

  /** Calls `visit` for each open session. It may close the session that it is given. */
  forEach(visit: (session: number) => void): void {
    for (let session = 0; session < this.#end; session++) if (this.isOpen(session)) visit(session);
  }

  isOpen(session: number): boolean {
    return this.words[session * RECORD_WORDS] === Open;
  }

  /**
   * The session of the client whose address stands at word `name` of `from`, or -1. The local address that it speaks to stands
   * at word `local`; -1 where its listener has one alone.
   */
  find(listener: number, from: Uint32Array, name: number, local = -1): number {
    let at = addressHash(listener, from, name, local) & this.#mask;
    for (;;) {
      const session = this.#index[at]! - 1;
      if (session < 0 || this.isSame(session, listener, from, name, local)) return session;
      at = (at + 1) & this.#mask;
    }
  }

  /** Whether `session` is that of this listener, client and local address. */
  isSame(session: number, listener: number, from: Uint32Array, name: number, local = -1): boolean {
    const words = this.words;
    const record = session * RECORD_WORDS;
    const client = record + Field.client;
    if (words[record + Field.listener] !== listener) return false;
    if (words[client] !== (from[name]! | 0) || words[client + 1] !== (from[name + 1]! | 0)) return false;
    if ((words[record + Field.flags]! & Keyed) !== 0) return false;
    if (local >= 0 && !this.#isLocal(record, from, local)) return false;
    if ((from[name]! & 0xffff) === AF_INET) return true;
    for (let i = 2; i < SOCKADDR_WORDS; i++) if (words[client + i] !== (from[name + i]! | 0)) return false;
    return true;
  }

  /** The session of a listener under a key of 64 bits, or -1. */
  findKey(listener: number, low: number, high: number): number {
    const { words } = this;
    for (let at = hashKey(listener, low, high) & this.#mask; ; at = (at + 1) & this.#mask) {
      const session = this.#index[at]! - 1;
      const record = session * RECORD_WORDS;
      const isFound =
        session < 0 ||
        ((words[record + Field.flags]! & Keyed) !== 0 &&
          words[record + Field.listener] === listener &&
          words[record + Field.keyLow] === (low | 0) &&
          words[record + Field.keyHigh] === (high | 0));
      if (isFound) return session;
    }
  }

  /** Makes a session that was added just now one that is found by its key alone. */
  setKey(session: number, low: number, high: number): void {
    this.#table.remove(session);
    const record = session * RECORD_WORDS;
    this.words[record + Field.flags]! |= Keyed;
    this.words[record + Field.keyLow] = low;
    this.words[record + Field.keyHigh] = high;
    this.#table.insert(session, this.#hashOf(session));
  }

  /**
   * Notes that the client of a session that is found by its key sends from this address now, to this local one. Returns whether
   * that is news.
   */
  moveClient(session: number, from: Uint32Array, name: number, local = -1): boolean {
    const { words } = this;
    const record = session * RECORD_WORDS;
    const client = record + Field.client;
    let isNews = local >= 0 && !this.#isLocal(record, from, local);
    if (isNews) this.#setLocal(record, from, local);
    for (let i = 0; i < sockaddrLength(from[name]!) >> 2; i++) {
      isNews ||= words[client + i] !== (from[name + i]! | 0);
      words[client + i] = from[name + i]!;
    }
    return isNews;
  }

  /** Opens a session for a client that has none; `local` as for `find`. Returns -1 where the table is full. */
  add(listener: number, from: Uint32Array, name: number, local = -1): number {
    const session =
      this.#freeCount > 0 ? this.#free[--this.#freeCount]! : this.#end < this.capacity ? this.#end++ : -1;
    if (session < 0) return -1;
    const record = session * RECORD_WORDS;
    this.words.fill(0, record, record + RECORD_WORDS);
    this.words[record + Field.socket] = -1;
    this.words[record + Field.listener] = listener;
    for (let i = 0; i < SOCKADDR_WORDS; i++) this.words[record + Field.client + i] = from[name + i]!;
    if (local >= 0) this.#setLocal(record, from, local);
    this.words[record] = Open;
    this.#table.insert(session, addressHash(listener, from, name, local));
    return session;
  }

  /** Closes a session. Its socket is the caller's to close. */
  remove(session: number): void {
    this.#table.remove(session);
    this.words[session * RECORD_WORDS] = 0;
    this.#free[this.#freeCount++] = session;
  }

  socket(session: number): number {
    return this.words[session * RECORD_WORDS + Field.socket]!;
  }

  setSocket(session: number, socket: number): void {
    this.words[session * RECORD_WORDS + Field.socket] = socket;
  }

  /** The number of the port that it shares with sessions to other endpoints, or -1 where its socket is its own. */
  port(session: number): number {
    return this.words[session * RECORD_WORDS + Field.port]! - 1;
  }

  setPort(session: number, port: number): void {
    this.words[session * RECORD_WORDS + Field.port] = port + 1;
  }

  listener(session: number): number {
    return this.words[session * RECORD_WORDS + Field.listener]!;
  }

  endpointId(session: number): number {
    return this.words[session * RECORD_WORDS + Field.endpointId]!;
  }

  /** First slot of the counters of the session's cluster. */
  clusterCounters(session: number): number {
    return this.words[session * RECORD_WORDS + Field.clusterCounters]!;
  }

  /** First slot of the counters of the session's endpoint; they are another's once the endpoint is gone. */
  endpointCounters(session: number): number {
    return this.words[session * RECORD_WORDS + Field.endpointCounters]!;
  }

  /** Sets where the session goes. */
  setEndpoint(session: number, endpoint: SessionEndpoint): void {
    const record = session * RECORD_WORDS;
    this.words[record + Field.endpointId] = endpoint.id;
    this.words[record + Field.clusterCounters] = endpoint.clusterCounters;
    this.words[record + Field.endpointCounters] = endpoint.counters;
    this.bytes.set(endpoint.sockaddr, (record + Field.endpoint) * 4);
  }

  /** Byte offset and length of the client's `struct sockaddr`. */
  client(session: number): number {
    return (session * RECORD_WORDS + Field.client) * 4;
  }

  clientLength(session: number): number {
    return sockaddrLength(this.words[session * RECORD_WORDS + Field.client]!);
  }

  /** Word offset of the local address that the client speaks to, or -1 where its listener has one alone. */
  local(session: number): number {
    const record = session * RECORD_WORDS;
    return (this.words[record + Field.flags]! & HasLocal) === 0 ? -1 : record + Field.local;
  }

  /** Byte offset and length of the endpoint's `struct sockaddr`. */
  endpoint(session: number): number {
    return (session * RECORD_WORDS + Field.endpoint) * 4;
  }

  endpointLength(session: number): number {
    return sockaddrLength(this.words[session * RECORD_WORDS + Field.endpoint]!);
  }

  lastActiveMs(session: number): number {
    return this.#times[(session * RECORD_WORDS + Field.lastActive) >> 1]!;
  }

  touch(session: number, nowMs: number): void {
    this.#times[(session * RECORD_WORDS + Field.lastActive) >> 1] = nowMs;
  }

  maySegment(session: number): boolean {
    return (this.words[session * RECORD_WORDS + Field.flags]! & NoSegmentation) === 0;
  }

  forbidSegmentation(session: number): void {
    this.words[session * RECORD_WORDS + Field.flags]! |= NoSegmentation;
  }

  /** Takes over what an earlier worker left in the records. A session that it had not finished opening is dropped. */
  #adopt(): void {
    for (let session = this.capacity - 1; session >= 0; session--) {
      const record = session * RECORD_WORDS;
      if (this.words[record] === Open && this.words[record + Field.socket]! >= 0) {
        this.#end = Math.max(this.#end, session + 1);
        this.#table.insert(session, this.#hashOf(session));
        continue;
      }
      // Written only where needed: untouched pages of the table take no memory.
      if (this.words[record] !== 0) this.words[record] = 0;
      if (session < this.#end) this.#free[this.#freeCount++] = session;
    }
  }

  #hashOf(session: number): number {
    const { words } = this;
    const record = session * RECORD_WORDS;
    const listener = words[record + Field.listener]!;
    return (words[record + Field.flags]! & Keyed) === 0
      ? addressHash(listener, words, record + Field.client, this.local(session))
      : hashKey(listener, words[record + Field.keyLow]!, words[record + Field.keyHigh]!);
  }

  #isLocal(record: number, from: Uint32Array, local: number): boolean {
    if ((this.words[record + Field.flags]! & HasLocal) === 0) return false;
    for (let i = 0; i < LOCAL_WORDS; i++) {
      if (this.words[record + Field.local + i] !== (from[local + i]! | 0)) return false;
    }
    return true;
  }

  #setLocal(record: number, from: Uint32Array, local: number): void {
    this.words[record + Field.flags]! |= HasLocal;
    for (let i = 0; i < LOCAL_WORDS; i++) this.words[record + Field.local + i] = from[local + i]!;
  }
}

/** Mixes listener, client and local address; the multipliers are those of MurmurHash3's finaliser. */
export function addressHash(
  listener: number,
  words: Uint32Array | Int32Array,
  name: number,
  local: number,
): number {
  let h = Math.imul(listener + 1, 0x9e3779b1) ^ words[name]!;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b) ^ words[name + 1]!;
  if ((words[name]! & 0xffff) !== AF_INET) {
    for (let i = 2; i < SOCKADDR_WORDS; i++) h = Math.imul(h ^ (h >>> 15), 0x85ebca6b) ^ words[name + i]!;
  }
  if (local >= 0) {
    for (let i = 0; i < LOCAL_WORDS; i++) h = Math.imul(h ^ (h >>> 15), 0x85ebca6b) ^ words[local + i]!;
  }
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Keys are the clients' own choice: nobody else may know which of them meet in one place. */
const SEED = randomBytes(4).readInt32LE();

function hashKey(listener: number, low: number, high: number): number {
  let h = Math.imul(listener + 1, 0x9e3779b1) ^ SEED ^ low;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b) ^ high;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
