// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { WorkerIo } from "../io/io-backend.ts";
import type { SessionInfo } from "../wasm/filter-environment.ts";
import { Vital } from "../worker/protocol.ts";
import { DESCRIPTOR_WORDS, Flag, Word } from "./batch.ts";
import { ClusterSlot, type CounterPage, EndpointSlot, ListenerSlot } from "./counters.ts";
import type { EndpointDirectory, KnownEndpoint } from "./endpoint-directory.ts";
import { LOCAL_ADDRESS } from "./local-address.ts";
import type { Ring } from "./ring.ts";
import type { SessionTable } from "./session-table.ts";
import { AF_INET, formatSocketAddress, readIp, readSockaddr } from "./sockaddr.ts";
import type { RunningListener, RunningListeners } from "./worker-listener.ts";

/** How long an idle time-out may be overrun, at the most; shorter ones are overrun by an eighth. */
const LONGEST_SWEEP_MS = 1000;

/** More than a listener can have targets. */
const TARGETS = 1 << 10;

/** What the keeper works on. */
export interface SessionKeeperParts {
  readonly ring: Ring;
  readonly sessions: SessionTable;
  readonly counters: CounterPage;
  readonly io: WorkerIo;
  readonly endpoints: EndpointDirectory;
  readonly listeners: RunningListeners;
  /** See `Vital`. */
  readonly vitals: Float64Array;
}

/** Opens, finds and closes sessions: the record, the socket, the filters' contexts and the counters together. */
export class SessionKeeper {
  /** When some session may have been silent too long. */
  nextSweepMs = Number.POSITIVE_INFINITY;
  readonly #parts: SessionKeeperParts;
  readonly #ring: Ring;
  readonly #sessions: SessionTable;
  readonly #counters: CounterPage;
  /** The sessions' records, as the ring's names are read. */
  readonly #clientWords: Uint32Array;

  constructor(parts: SessionKeeperParts) {
    this.#parts = parts;
    this.#ring = parts.ring;
    this.#sessions = parts.sessions;
    this.#counters = parts.counters;
    this.#clientWords = new Uint32Array(parts.sessions.words.buffer);
  }

  /**
   * The session of the datagrams in a slot, opened where the client has none; `previous` is that of the slot before,
   * often the same client. Returns -1 where it may not be opened, which is counted.
   */
  sessionOf(listener: RunningListener, slot: number, previous: number, nowMs: number): number {
    const { words } = this.#ring;
    const name = this.#ring.name(slot) >> 2;
    const local = this.#ring.localWord(slot);
    if (listener.listenerChain !== undefined && this.#isKeyed(slot))
      return this.#keyedSession(listener, slot, name, nowMs);
    if (previous >= 0 && this.#sessions.isSame(previous, listener.id, words, name, local)) return previous;
    const session = this.#sessions.find(listener.id, words, name, local);
    return session >= 0 ? session : this.#open(listener, slot, name, nowMs);
  }

  close(session: number): void {
    const listener = this.#listenerOf(session);
    if (listener && !listener.chain.isEmpty) listener.chain.closeSession(session);
    listener?.admission?.closed(session);
    const endpoint = this.#parts.endpoints.endpoint(this.#sessions.endpointId(session));
    this.#countActive(listener, endpoint?.counters, this.#sessions.clusterCounters(session), -1);
    this.#parts.io.closeSession(session);
    this.#sessions.remove(session);
  }

  /**
   * Lets a session go on to another endpoint of its cluster, `ip:port`, from its next datagram on, by another
   * socket. Returns false where there is no such endpoint or the system gives no socket.
   */
  route(session: number, address: string): boolean {
    const listener = this.#listenerOf(session);
    const before = this.#sessions.endpointId(session);
    const cluster = this.#parts.endpoints.clusterOf(before) ?? listener?.cluster;
    const endpoint = cluster && this.#parts.endpoints.named(cluster, address);
    if (listener === undefined || !endpoint) return false;
    if (before === endpoint.id) return true;
    const counters = this.#parts.endpoints.endpoint(before)?.counters;
    this.#countActive(undefined, counters, this.#sessions.clusterCounters(session), -1);
    this.#parts.io.closeSession(session);
    this.#sessions.setSocket(session, -1);
    this.#sessions.setEndpoint(session, endpoint);
    this.#countActive(undefined, endpoint.counters, endpoint.clusterCounters, 1);
    this.#counters[endpoint.counters + EndpointSlot.sessionsTotal]! += 1;
    return this.#parts.io.openSession(session, listener.preferGro);
  }

  /**
   * The session that carries datagrams of `session` to a target of its listener's filters, opened where there is none; -1
   * where it has no endpoint or the system gives no socket. It has a socket as every session, is found by the client as every
   * other but under a number that no listener has, so that what comes back goes nowhere, and ends when it is idle.
   */
  targetSession(listener: RunningListener, session: number, number: number, nowMs: number): number {
    const words = this.#clientWords;
    const name = this.#sessions.client(session) >> 2;
    const local = this.#sessions.local(session);
    const owner = -1 - (listener.id * TARGETS + number);
    const known = this.#sessions.find(owner, words, name, local);
    if (known >= 0) {
      this.#sessions.touch(known, nowMs);
      return known;
    }
    const endpoint = this.#targetEndpoint(listener, session, number);
    if (endpoint === undefined) return -1;
    const opened = this.#sessions.add(owner, words, name, local);
    if (opened < 0) return -1;
    this.#sessions.setEndpoint(opened, endpoint);
    this.#sessions.touch(opened, nowMs);
    if (!this.#parts.io.openSession(opened, false)) {
      this.#parts.io.closeSession(opened);
      this.#sessions.remove(opened);
      return -1;
    }
    this.#countActive(undefined, endpoint.counters, endpoint.clusterCounters, 1);
    this.#counters[endpoint.counters + EndpointSlot.sessionsTotal]! += 1;
    this.#counters[endpoint.clusterCounters + ClusterSlot.sessionsTotal]! += 1;
    this.nextSweepMs = Math.min(this.nextSweepMs, nowMs + listener.idleTimeoutMs);
    return opened;
  }

  /** Closes the sessions of a listener, and those that carry its datagrams to targets. */
  closeAll(listener: number): void {
    this.#sessions.forEach((session) => {
      if (ownerOf(this.#sessions.listener(session)) === listener) this.close(session);
    });
  }

  /** Closes the sessions whose listener is no more, or whose endpoint is gone or failed: their clients' next datagrams open new ones. */
  closeOrphans(): void {
    this.#sessions.forEach((session) => {
      const isKept = this.#parts.endpoints.keeps(this.#sessions.endpointId(session));
      const owner = this.#parts.listeners[ownerOf(this.#sessions.listener(session))];
      if (!isKept || owner === undefined) this.close(session);
    });
  }

  /** Resumes receiving for the sessions that an earlier incarnation of this worker left. */
  adopt(): void {
    this.#sessions.forEach((session) => {
      const listener = this.#listenerOf(session);
      if (listener && this.#parts.io.adoptSession(session, listener.preferGro)) this.nextSweepMs = 0;
      else this.close(session);
    });
  }

  /** Closes the sessions that were silent too long, and finds out when to look again. */
  sweep(nowMs: number): void {
    let next = Number.POSITIVE_INFINITY;
    this.#sessions.forEach((session) => {
      const listener = this.#listenerOf(session);
      const owner = this.#parts.listeners[ownerOf(this.#sessions.listener(session))];
      const idleTimeoutMs = owner?.idleTimeoutMs ?? 0;
      const deadlineMs = this.#sessions.lastActiveMs(session) + idleTimeoutMs;
      if (deadlineMs > nowMs) {
        const soonestMs = nowMs + Math.min(idleTimeoutMs / 8, LONGEST_SWEEP_MS);
        next = Math.min(next, Math.max(deadlineMs, soonestMs));
        return;
      }
      if (listener) this.#counters[listener.counters + ListenerSlot.idleTimeout]! += 1;
      this.close(session);
    });
    this.nextSweepMs = next;
  }

  /** The sessions of a listener, as a filter that starts now is told of them. */
  resumedSessions(listener: number): readonly SessionInfo[] {
    const infos: SessionInfo[] = [];
    this.#sessions.forEach((session) => {
      if (this.#sessions.listener(session) === listener) infos.push(this.#info(session, true));
    });
    return infos;
  }

  /** Client and endpoint of a session, `ip:port`. */
  peers(session: number): { readonly client: string; readonly endpoint: string } {
    const { bytes } = this.#sessions;
    return {
      client: formatSocketAddress(readSockaddr(bytes, this.#sessions.client(session))),
      endpoint: formatSocketAddress(readSockaddr(bytes, this.#sessions.endpoint(session))),
    };
  }

  /** Whether a filter at stage LISTENER gave the datagram in a slot a key. */
  #isKeyed(slot: number): boolean {
    return (this.#ring.words[this.#descriptor(slot) + Word.flags]! & Flag.SetKey) !== 0;
  }

  /** The first word of the first descriptor of a slot. */
  #descriptor(slot: number): number {
    return (this.#ring.descriptors >> 2) + this.#ring.firstDescriptor[slot]! * DESCRIPTOR_WORDS;
  }

  /** The session under the key of the datagram in a slot, wherever its client sends from. */
  #keyedSession(listener: RunningListener, slot: number, name: number, nowMs: number): number {
    const { words } = this.#ring;
    const at = this.#descriptor(slot);
    const session = this.#sessions.findKey(
      listener.id,
      words[at + Word.userLow]!,
      words[at + Word.userHigh]!,
    );
    if (session < 0) return this.#open(listener, slot, name, nowMs);
    if (this.#sessions.moveClient(session, words, name, this.#ring.localWord(slot))) {
      listener.admission?.closed(session);
      listener.admission?.opened(session, this.#sessions);
      listener.chain.updateSession(this.#info(session, false));
    }
    return session;
  }

  #open(listener: RunningListener, slot: number, name: number, nowMs: number): number {
    const isShort = this.#parts.vitals[Vital.isShortOfMemory] !== 0;
    const refusal = isShort
      ? ListenerSlot.dropMemoryLimit
      : (listener.admission?.refusal(this.#ring.words, name) ?? -1);
    if (refusal >= 0) return this.#refuse(listener, slot, refusal);
    const cluster = this.#clusterFor(listener, slot);
    const endpoint = this.#chosen(listener, cluster, slot);
    if (endpoint === undefined) return this.#refuseWithoutEndpoint(listener, cluster, slot);
    const { words } = this.#ring;
    const session = this.#sessions.add(listener.id, words, name, this.#ring.localWord(slot));
    if (session < 0) return this.#refuse(listener, slot, ListenerSlot.dropNoSession);
    if (listener.listenerChain !== undefined && this.#isKeyed(slot)) {
      const at = this.#descriptor(slot);
      this.#sessions.setKey(session, words[at + Word.userLow]!, words[at + Word.userHigh]!);
    }
    this.#sessions.setEndpoint(session, endpoint);
    if (!this.#parts.io.openSession(session, listener.preferGro)) {
      this.#parts.io.closeSession(session);
      this.#sessions.remove(session);
      return this.#refuse(listener, slot, ListenerSlot.dropNoSession);
    }
    listener.admission?.opened(session, this.#sessions);
    this.#countActive(listener, endpoint.counters, endpoint.clusterCounters, 1);
    this.#counters[listener.counters + ListenerSlot.sessionsTotal]! += 1;
    this.#counters[endpoint.counters + EndpointSlot.sessionsTotal]! += 1;
    this.#counters[endpoint.clusterCounters + ClusterSlot.sessionsTotal]! += 1;
    this.nextSweepMs = Math.min(this.nextSweepMs, nowMs + listener.idleTimeoutMs);
    if (!listener.chain.isEmpty) listener.chain.openSession(this.#info(session, false));
    return session;
  }

  #targetEndpoint(listener: RunningListener, session: number, number: number): KnownEndpoint | undefined {
    const target = listener.chain.target(number);
    const { endpoints } = this.#parts;
    if (target === undefined) return undefined;
    if (target.kind === "cluster") {
      const client = readSockaddr(this.#sessions.bytes, this.#sessions.client(session)).address;
      return endpoints.pick(target.name, listener.hashPolicy, client);
    }
    const cluster = endpoints.clusterOf(this.#sessions.endpointId(session));
    return cluster === undefined ? undefined : endpoints.named(cluster, target.name);
  }

  /** Where a new session goes: a filter at stage LISTENER may have chosen, else its cluster's policy does. */
  #chosen(listener: RunningListener, cluster: string, slot: number): KnownEndpoint | undefined {
    const at = this.#descriptor(slot);
    const { listenerChain } = listener;
    const isChosen = listenerChain && (this.#ring.words[at + Word.flags]! & Flag.Retarget) !== 0;
    const target = isChosen ? listenerChain.target(this.#ring.words[at + Word.target]!) : undefined;
    if (target === undefined) return this.#pick(listener, cluster, slot);
    return target.kind === "cluster"
      ? this.#pick(listener, target.name, slot)
      : this.#parts.endpoints.named(cluster, target.name);
  }

  #clusterFor({ cluster, matcher }: RunningListener, slot: number): string {
    return matcher?.clusterFor(readSockaddr(this.#ring.bytes, this.#ring.name(slot))) ?? cluster;
  }

  #pick(listener: RunningListener, cluster: string, slot: number): KnownEndpoint | undefined {
    return this.#parts.endpoints.pick(cluster, listener.hashPolicy, this.#hashed(listener, slot));
  }

  /** What of a session's first datagram is hashed. */
  #hashed({ hashPolicy, listenerChain }: RunningListener, slot: number): string {
    const { bytes, words, slotLength } = this.#ring;
    switch (hashPolicy?.kind) {
      case "SOURCE_IP":
        return readSockaddr(bytes, this.#ring.name(slot)).address;
      case "FIRST_DATAGRAM": {
        const from = this.#ring.payload(slot) + Math.min(hashPolicy.offset, slotLength[slot]!);
        const end = Math.min(from + hashPolicy.length, this.#ring.payload(slot) + slotLength[slot]!);
        return Buffer.from(bytes.buffer, bytes.byteOffset + from, end - from).toString("latin1");
      }
      case "SESSION_KEY": {
        if (listenerChain === undefined || !this.#isKeyed(slot)) return "";
        const at = this.#descriptor(slot);
        return `${words[at + Word.userLow]!} ${words[at + Word.userHigh]!}`;
      }
      default:
        return "";
    }
  }

  #refuseWithoutEndpoint(listener: RunningListener, cluster: string, slot: number): -1 {
    const { endpoints } = this.#parts;
    const counters = endpoints.counters(cluster);
    if (endpoints.isFull(cluster)) this.#counters[counters + ClusterSlot.overflow]! += 1;
    else if (counters >= 0) this.#counters[counters + ClusterSlot.noneHealthy]! += 1;
    else this.#counters[listener.counters + ListenerSlot.noRoute]! += 1;
    return this.#refuse(listener, slot, ListenerSlot.dropNoEndpoint);
  }

  #refuse(listener: RunningListener, slot: number, reason: number): -1 {
    this.#counters[listener.counters + reason]! += this.#ring.descriptorCount[slot]!;
    return -1;
  }

  /** An endpoint that is gone has no counters any more; its cluster may have. */
  #countActive(
    listener: RunningListener | undefined,
    endpointCounters: number | undefined,
    clusterCounters: number,
    by: 1 | -1,
  ): void {
    if (listener) this.#counters[listener.counters + ListenerSlot.sessionsActive]! += by;
    if (endpointCounters !== undefined) this.#counters[endpointCounters + EndpointSlot.sessionsActive]! += by;
    this.#counters[clusterCounters + ClusterSlot.sessionsActive]! += by;
  }

  #listenerOf(session: number): RunningListener | undefined {
    return this.#parts.listeners[this.#sessions.listener(session)];
  }

  #info(session: number, resumed: boolean): SessionInfo {
    return { index: session, ...this.peers(session), local: this.#localOf(session), resumed };
  }

  /** Where the client of a session sends to, `ip:port`. */
  #localOf(session: number): string {
    const listener = this.#listenerOf(session);
    if (listener === undefined) return "";
    const { bytes } = this.#sessions;
    const local = this.#sessions.local(session);
    if (local < 0) return formatSocketAddress(listener.local);
    const isVersion4 = bytes[this.#sessions.client(session)] === AF_INET;
    const address = readIp(bytes, local * 4 + LOCAL_ADDRESS, isVersion4);
    return formatSocketAddress({ address, port: listener.local.port });
  }
}

/** The listener of a session's record, also where the session carries datagrams to a target. */
function ownerOf(listener: number): number {
  return listener >= 0 ? listener : Math.floor((-1 - listener) / TARGETS);
}
