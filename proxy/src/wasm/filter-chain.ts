// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Action, type Batch, DESCRIPTOR_WORDS, Word } from "../datapath/batch.ts";
import { ChainPass } from "./chain-pass.ts";
import type { Detour, Outgoing } from "./detour.ts";
import type { FilterEnvironment, MetricHandle, SessionInfo } from "./filter-environment.ts";
import type { RunnableFilter } from "./filter-options.ts";
import { FilterPlace } from "./filter-place.ts";
import { ChainHost } from "./guest-state.ts";
import type { StreamReport } from "./stream-report.ts";
import type { Target } from "./target-table.ts";

/** Datagrams that filters divert again and again wait for the next turn after so many. */
const MAX_ROUNDS = 16;

const NANOSECONDS_PER_MS = 1e6;

/**
 * The filters of one listener in one worker. Not one of its methods throws for what a filter does: a filter
 * that cannot start or that fails is treated as its failure policy says, counted in
 * `msm_filter_failures_total` and logged once.
 */
export class FilterChain {
  readonly #host: ChainHost;
  readonly #filters: readonly FilterPlace[];
  readonly #lost: MetricHandle;
  #live = new Uint32Array(0);
  #pass = new ChainPass(0);
  /** Which descriptors `#live` lists, where it lists neighbours, as it does until a filter drops one. */
  #listedFirst = 0;
  #listedCount = 0;

  private constructor(host: ChainHost, filters: readonly FilterPlace[]) {
    this.#host = host;
    this.#filters = filters;
    const labels = { listener: host.env.listener };
    this.#lost = host.env.defineMetric("counter", "msm_filter_outgoing_lost_total", labels);
  }

  /** Starts every filter, in the order in which datagrams from downstream meet them. */
  static create(filters: readonly RunnableFilter[], env: FilterEnvironment): FilterChain {
    const host = new ChainHost(env);
    return new FilterChain(
      host,
      filters.map((plan) => new FilterPlace(plan, host)),
    );
  }

  /** Whether there is no filter, so that `run` need not be called. */
  get isEmpty(): boolean {
    return this.#filters.length === 0;
  }

  /** Names of the filters that failed and for which the failure policy holds. */
  get failed(): readonly string[] {
    return this.#filters.filter((filter) => filter.isFailed).map((filter) => filter.plan.name);
  }

  /** Bytes of memory that the filters have. */
  get memoryBytes(): number {
    return this.#filters.reduce((sum, filter) => sum + filter.memoryBytes, 0);
  }

  /** Announces a session to every filter, before its first datagram. */
  openSession(session: SessionInfo): void {
    this.#host.sessions.set(session.index, session);
    for (const filter of this.#filters) filter.openSession(session);
  }

  /** What filters may read of an open session changed. */
  updateSession(session: SessionInfo): void {
    if (this.#host.sessions.has(session.index)) this.#host.sessions.set(session.index, session);
  }

  /**
   * A session goes on in another chain: filters may leave with it, as properties, what those of the other are to find. To
   * be called before `closeSession`; the other chain opens it afterwards, as resumed.
   */
  handOver(index: number, next: FilterChain): void {
    if (!this.#host.sessions.has(index)) return;
    for (const filter of this.#filters) filter.handOver(index);
    this.#host.sessionState.copy(index, next.#host.sessionState);
  }

  /** Tells every filter that a session is over, after its last datagram. */
  closeSession(index: number): void {
    if (!this.#host.sessions.has(index)) return;
    for (const filter of this.#filters) filter.closeSession(index);
    this.#host.sessions.delete(index);
    this.#host.sessionState.close(index);
    this.#host.closeRequests.delete(index);
    this.#host.detour?.closeSession(index);
  }

  /**
   * Runs the descriptors `[first, first + count)` that still have action Continue through the filters: in their
   * order for datagrams from downstream, in reverse for those from upstream. Sets action, reason, mark, user,
   * TOS and TTL, and payload and length where a filter changed them. What filters emit, send back, pause or pace
   * is taken out of the batch and leaves by `outgoing`. `nowMonotonicNs` is the time of the batch. Returns whether
   * anything changed but bytes of payloads where they lie: if not, a run can leave in one piece as it came.
   */
  run(batch: Batch, first: number, count: number, upstream: boolean, nowMonotonicNs: number): boolean {
    const filters = this.#filters;
    this.#host.clock.set(nowMonotonicNs);
    let remaining = this.#begin(batch, first, count);
    for (let i = 0; i < filters.length && remaining > 0; i++) {
      const filter = filters[upstream ? filters.length - 1 - i : i]!;
      const before = remaining;
      remaining = filter.run(batch, this.#live, remaining, this.#pass);
      if (remaining !== before) this.#listedCount = 0;
    }
    if (this.#host.hasRingDue) this.#pace(batch, remaining);
    this.#settle();
    return this.#pass.isTouched;
  }

  /** Whether there is something in `outgoing`, or a session to be closed: to be looked at after each `run` and `tick`. */
  get hasOutgoing(): boolean {
    const { detour, closeRequests } = this.#host;
    return (detour !== null && detour.count > 0) || closeRequests.size > 0;
  }

  /**
   * Datagrams to be sent that are not in the ring; null where there are none. To be looked at after each `run` and
   * `tick`: each descriptor names its session, and its flag UpstreamDirection says whether it goes to the client. Call
   * `releaseOutgoing` afterwards.
   */
  get outgoing(): Outgoing | null {
    const { detour } = this.#host;
    return detour === null || detour.count === 0 ? null : detour;
  }

  /** What the number in `Word.target` of an outgoing datagram stands for. */
  target(number: number): Target | undefined {
    return this.#host.targets.get(number);
  }

  /** So many outgoing datagrams had nowhere to go. */
  noteLost(datagrams: number): void {
    this.#lost.add(datagrams);
  }

  /** The outgoing datagrams were sent, or given up. */
  releaseOutgoing(): void {
    this.#host.detour?.releaseOutgoing();
  }

  /** Sessions that filters want closed; each is named once. The caller closes them. */
  takeCloseRequests(): readonly number[] {
    const { closeRequests } = this.#host;
    if (closeRequests.size === 0) return NO_SESSIONS;
    const sessions = [...closeRequests];
    closeRequests.clear();
    return sessions;
  }

  /**
   * When `tick` is to be called at the latest, in the worker's monotonic milliseconds; Infinity where it need not be. A
   * run can bring it forward.
   */
  get nextMs(): number {
    let next = this.#host.detour?.nextMs ?? Number.POSITIVE_INFINITY;
    for (const filter of this.#filters) next = Math.min(next, filter.nextMs);
    return next;
  }

  /**
   * Runs the ticks that are due. `nowMs` is monotonic. Returns the milliseconds until the next one is due, or
   * Infinity where no filter wants any.
   */
  tick(nowMs: number): number {
    let wait = Number.POSITIVE_INFINITY;
    this.#host.clock.refresh();
    this.#host.clock.set(nowMs * NANOSECONDS_PER_MS);
    for (const filter of this.#filters) wait = Math.min(wait, filter.tick(nowMs));
    this.#host.detour?.advance(nowMs);
    this.#settle();
    return Math.min(wait, (this.#host.detour?.nextMs ?? Number.POSITIVE_INFINITY) - nowMs);
  }

  /** The streams that the filters report now, with the filter that saw them. */
  streams(): readonly (StreamReport & { readonly filter: string })[] {
    this.#host.clock.refresh();
    return this.#filters.flatMap((filter) =>
      filter.streams().map((stream) => ({ ...stream, filter: filter.plan.name })),
    );
  }

  /**
   * The chain for a new configuration; this one must not be used any more. A filter whose module, configuration,
   * names and policy are the same goes on with its state, also where it failed. One that changed begins a new
   * generation in its place; those that are new are told of the live sessions with `resumed` set. To be called between
   * batches.
   */
  replace(filters: readonly RunnableFilter[], sessions: Iterable<SessionInfo>): FilterChain {
    const running = [...this.#filters];
    this.#host.clock.refresh();
    this.#host.sessions.clear();
    for (const session of sessions) this.#host.sessions.set(session.index, session);
    const take = (isWanted: (place: FilterPlace) => boolean): FilterPlace | undefined => {
      const at = running.findIndex(isWanted);
      return at < 0 ? undefined : running.splice(at, 1)[0];
    };
    // What stays as it is has the first choice, so that no other takes its place.
    const same = filters.map((plan) => take((place) => isSameFilter(place.plan, plan)));
    const next = filters.map((plan, i) => {
      const kept = same[i];
      if (kept !== undefined) return kept;
      const changed = take((place) => place.plan.name === plan.name);
      changed?.replace(plan);
      return changed ?? new FilterPlace(plan, this.#host, this.#host.sessions.values());
    });
    for (const gone of running) this.#host.detour?.abandon(gone, true);
    return new FilterChain(this.#host, next);
  }

  /** Tells the filters of the end of the sessions that are still open. */
  close(): void {
    for (const index of [...this.#host.sessions.keys()]) this.closeSession(index);
  }

  /** Takes datagrams that have passed every filter but may not leave yet out of the ring. */
  #pace(batch: Batch, remaining: number): void {
    const { ringDueMs, clock } = this.#host;
    const nowMs = clock.exactMs;
    this.#host.hasRingDue = false;
    for (let i = 0; i < remaining; i++) {
      const index = this.#live[i]!;
      const dueMs = ringDueMs[index]!;
      if (dueMs <= nowMs || !this.#host.needDetour().hold(batch, index, dueMs, nowMs)) continue;
      batch.words[(batch.descriptors >>> 2) + index * DESCRIPTOR_WORDS + Word.action] = Action.Consume;
    }
    ringDueMs.fill(0);
  }

  /** Tells of queues, and runs what was diverted through the filters that are still before it. */
  #settle(): void {
    if (this.#host.shared.hasNews) this.#tellNews();
    const { detour } = this.#host;
    if (detour === null) return;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const count = detour.takeReady();
      if (count === 0) break;
      for (let from = 0, end = 0; from < count; from = end) {
        const slot = detour.taken[from]!;
        const owner = detour.owner(slot);
        const isUpstream = detour.batch.isUpstream(slot);
        for (end = from + 1; end < count; end++) {
          const next = detour.taken[end]!;
          if (detour.owner(next) !== owner || detour.batch.isUpstream(next) !== isUpstream) break;
        }
        this.#goOn(detour, owner, from, end, isUpstream);
      }
    }
    if (detour.lost > 0) {
      this.#lost.add(detour.lost);
      detour.lost = 0;
    }
  }

  #tellNews(): void {
    for (const { id, owner } of this.#host.shared.takeNews()) {
      for (const filter of this.#filters) filter.queueReady(id, owner);
    }
  }

  /** Runs a part of what the detour took through the filters behind `owner`, and lets what is left leave. */
  #goOn(detour: Detour<object>, owner: object | null, from: number, end: number, isUpstream: boolean): void {
    const store = detour.batch;
    const { taken } = detour;
    let remaining = end - from;
    for (let i = 0; i < remaining; i++) detour.live[i] = taken[from + i]!;
    detour.pass.begin();
    const step = isUpstream ? -1 : 1;
    // A filter that is gone in the meantime has nobody behind it: the datagram was paused by it and leaves.
    const behind = (this.#filters as readonly (object | null)[]).indexOf(owner);
    for (
      let at = behind + step;
      behind >= 0 && this.#filters[at] !== undefined && remaining > 0;
      at += step
    ) {
      remaining = this.#filters[at]!.run(store, detour.live, remaining, detour.pass);
    }
    for (let i = from; i < end; i++) {
      const slot = taken[i]!;
      const action = store.words[slot * DESCRIPTOR_WORDS + Word.action]! & 0xff;
      if (action === Action.Continue) detour.finish(slot, this.#host.clock.exactMs);
      else store.release(slot);
    }
  }

  /** Lists the datagrams to run. */
  #begin(batch: Batch, first: number, count: number): number {
    if (this.#live.length < batch.capacity) {
      this.#live = new Uint32Array(batch.capacity);
      this.#pass = new ChainPass(batch.capacity);
      this.#host.ringDueMs = new Float64Array(batch.capacity);
      this.#listedCount = 0;
    }
    this.#pass.begin();
    if (first + count <= batch.cleanDescriptors) return this.#listAll(first, count);
    const { words } = batch;
    let at = (batch.descriptors >>> 2) + first * DESCRIPTOR_WORDS + Word.action;
    let actions = 0;
    for (let i = 0; i < count; i++, at += DESCRIPTOR_WORDS) actions |= words[at]!;
    return (actions & 0xff) === Action.Continue
      ? this.#listAll(first, count)
      : this.#listContinuing(batch, first, count);
  }

  /** The same batch after batch: mostly it is listed already. */
  #listAll(first: number, count: number): number {
    if (this.#listedFirst !== first || this.#listedCount < count) {
      for (let i = 0; i < count; i++) this.#live[i] = first + i;
      this.#listedFirst = first;
      this.#listedCount = count;
    }
    return count;
  }

  #listContinuing(batch: Batch, first: number, count: number): number {
    const base = batch.descriptors >>> 2;
    let live = 0;
    for (let index = first; index < first + count; index++) {
      const action = batch.words[base + index * DESCRIPTOR_WORDS + Word.action]! & 0xff;
      if (action === Action.Continue) this.#live[live++] = index;
    }
    this.#listedCount = 0;
    return live;
  }
}

const NO_SESSIONS: readonly number[] = [];

function isSameFilter(a: RunnableFilter, b: RunnableFilter): boolean {
  return (
    a.name === b.name &&
    a.digest === b.digest &&
    (a.script === undefined) === (b.script === undefined) &&
    (a.wasi === undefined) === (b.wasi === undefined) &&
    a.rootId === b.rootId &&
    a.vmId === b.vmId &&
    a.failurePolicy === b.failurePolicy &&
    a.reload?.baseMs === b.reload?.baseMs &&
    a.reload?.maxMs === b.reload?.maxMs &&
    a.capabilities?.join() === b.capabilities?.join() &&
    isEqual(a.configuration, b.configuration) &&
    isEqual(a.vmConfiguration, b.vmConfiguration)
  );
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
