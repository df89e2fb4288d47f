// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { WorkerIo } from "../io/io-backend.ts";
import type { SessionInfo } from "../wasm/filter-environment.ts";
import { ClusterSlot, type CounterPage, EndpointSlot, ListenerSlot } from "./counters.ts";
import type { EndpointDirectory, KnownEndpoint } from "./endpoint-directory.ts";
import type { Ring } from "./ring.ts";
import type { SessionTable } from "./session-table.ts";
import { formatSocketAddress, readSockaddr, sockaddrLength } from "./sockaddr.ts";
import type { RunningListener, RunningListeners } from "./worker-listener.ts";

/** How long an idle time-out may be overrun, at the most; shorter ones are overrun by an eighth. */
const LONGEST_SWEEP_MS = 1000;

/** What the keeper works on. */
export interface SessionKeeperParts {
  readonly ring: Ring;
  readonly sessions: SessionTable;
  readonly counters: CounterPage;
  readonly io: WorkerIo;
  readonly endpoints: EndpointDirectory;
  readonly listeners: RunningListeners;
}

/** Opens, finds and closes sessions: the record, the socket, the filters' contexts and the counters together. */
export class SessionKeeper {
  /** When some session may have been silent too long. */
  nextSweepMs = Number.POSITIVE_INFINITY;
  readonly #parts: SessionKeeperParts;
  readonly #ring: Ring;
  readonly #sessions: SessionTable;
  readonly #counters: CounterPage;

  constructor(parts: SessionKeeperParts) {
    this.#parts = parts;
    this.#ring = parts.ring;
    this.#sessions = parts.sessions;
    this.#counters = parts.counters;
  }

  /**
   * The session of the datagrams in a slot, opened where the client has none; `previous` is that of the slot before,
   * often the same client. Returns -1 where it may not be opened, which is counted.
   */
  sessionOf(listener: RunningListener, slot: number, previous: number, nowMs: number): number {
    const { words } = this.#ring;
    const name = this.#ring.name(slot) >> 2;
    if (previous >= 0 && this.#sessions.isSame(previous, listener.id, words, name)) return previous;
    const session = this.#sessions.find(listener.id, words, name);
    return session >= 0 ? session : this.#open(listener, slot, name, nowMs);
  }

  close(session: number): void {
    const listener = this.#listenerOf(session);
    if (listener && !listener.chain.isEmpty) listener.chain.closeSession(session);
    const endpoint = this.#parts.endpoints.endpoint(this.#sessions.endpointId(session));
    this.#countActive(listener, endpoint?.counters, this.#sessions.clusterCounters(session), -1);
    this.#parts.io.closeSession(session);
    this.#sessions.remove(session);
  }

  /** Closes the sessions of a listener. */
  closeAll(listener: number): void {
    this.#sessions.forEach((session) => {
      if (this.#sessions.listener(session) === listener) this.close(session);
    });
  }

  /** Closes the sessions whose listener is no more, or whose endpoint is gone or failed: their clients' next datagrams open new ones. */
  closeOrphans(): void {
    this.#sessions.forEach((session) => {
      const isKept = this.#parts.endpoints.keeps(this.#sessions.endpointId(session));
      if (!isKept || this.#listenerOf(session) === undefined) this.close(session);
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
      const idleTimeoutMs = listener?.idleTimeoutMs ?? 0;
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

  #open(listener: RunningListener, slot: number, name: number, nowMs: number): number {
    const endpoint = this.#pick(listener, slot);
    if (endpoint === undefined) return this.#refuseWithoutEndpoint(listener, slot);
    const { words } = this.#ring;
    const session = this.#sessions.add(listener.id, words, name, sockaddrLength(words[name]!));
    if (session < 0) return this.#refuse(listener, slot, ListenerSlot.dropNoSession);
    this.#sessions.setEndpoint(session, endpoint);
    if (!this.#parts.io.openSession(session, listener.preferGro)) {
      this.#parts.io.closeSession(session);
      this.#sessions.remove(session);
      return this.#refuse(listener, slot, ListenerSlot.dropNoSession);
    }
    this.#countActive(listener, endpoint.counters, endpoint.clusterCounters, 1);
    this.#counters[listener.counters + ListenerSlot.sessionsTotal]! += 1;
    this.#counters[endpoint.counters + EndpointSlot.sessionsTotal]! += 1;
    this.#counters[endpoint.clusterCounters + ClusterSlot.sessionsTotal]! += 1;
    this.nextSweepMs = Math.min(this.nextSweepMs, nowMs + listener.idleTimeoutMs);
    if (!listener.chain.isEmpty) listener.chain.openSession(this.#info(session, false));
    return session;
  }

  #pick({ cluster, hashPolicy }: RunningListener, slot: number): KnownEndpoint | undefined {
    const isByAddress = hashPolicy?.kind === "SOURCE_IP";
    const client = isByAddress ? readSockaddr(this.#ring.bytes, this.#ring.name(slot)).address : "";
    return this.#parts.endpoints.pick(cluster, hashPolicy, client);
  }

  #refuseWithoutEndpoint(listener: RunningListener, slot: number): -1 {
    const { endpoints } = this.#parts;
    const cluster = endpoints.counters(listener.cluster);
    if (endpoints.isFull(listener.cluster)) this.#counters[cluster + ClusterSlot.overflow]! += 1;
    else if (cluster >= 0) this.#counters[cluster + ClusterSlot.noneHealthy]! += 1;
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
    return { index: session, ...this.peers(session), local: "", resumed };
  }
}
