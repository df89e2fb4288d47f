// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Action, type Batch, DESCRIPTOR_WORDS, Word } from "../datapath/batch.ts";
import type { FilterPlan } from "../plan.ts";
import { ChainedFilter } from "./chained-filter.ts";
import type { FilterEnvironment, SessionInfo } from "./filter-environment.ts";
import { ChainHost } from "./guest-state.ts";
import type { StreamReport } from "./stream-report.ts";

/**
 * The filters of one listener in one worker. Not one of its methods throws for what a filter does: a filter
 * that cannot start or that fails is treated as its failure policy says, counted in
 * `msm_filter_failures_total` and logged once.
 */
export class FilterChain {
  readonly #host: ChainHost;
  readonly #filters: readonly ChainedFilter[];
  #live = new Uint32Array(0);
  #origins = new Uint32Array(0);

  private constructor(host: ChainHost, filters: readonly ChainedFilter[]) {
    this.#host = host;
    this.#filters = filters;
  }

  /** Starts every filter, in the order in which datagrams from downstream meet them. */
  static create(filters: readonly FilterPlan[], env: FilterEnvironment): FilterChain {
    const host = new ChainHost(env);
    return new FilterChain(
      host,
      filters.map((plan) => new ChainedFilter(plan, host)),
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

  /** Announces a session to every filter, before its first datagram. */
  openSession(session: SessionInfo): void {
    this.#host.sessions.set(session.index, session);
    for (const filter of this.#filters) filter.openSession(session);
  }

  /** Tells every filter that a session is over, after its last datagram. */
  closeSession(index: number): void {
    if (!this.#host.sessions.has(index)) return;
    for (const filter of this.#filters) filter.closeSession(index);
    this.#host.sessions.delete(index);
  }

  /**
   * Runs the descriptors `[first, first + count)` that still have action Continue through the filters: in their
   * order for datagrams from downstream, in reverse for those from upstream. Sets action, reason, mark, user,
   * TOS and TTL, and payload and length where a filter changed them. `nowMonotonicNs` is the time of the batch.
   */
  run(batch: Batch, first: number, count: number, upstream: boolean, nowMonotonicNs: number): void {
    const filters = this.#filters;
    this.#host.clock.set(nowMonotonicNs);
    let remaining = this.#begin(batch, first, count);
    for (let i = 0; i < filters.length && remaining > 0; i++) {
      const filter = filters[upstream ? filters.length - 1 - i : i]!;
      remaining = filter.run(batch, this.#live, remaining, this.#origins);
    }
  }

  /**
   * Runs the ticks that are due. `nowMs` is monotonic. Returns the milliseconds until the next one is due, or
   * Infinity where no filter wants any.
   */
  tick(nowMs: number): number {
    let wait = Number.POSITIVE_INFINITY;
    this.#host.clock.refresh();
    for (const filter of this.#filters) wait = Math.min(wait, filter.tick(nowMs));
    return wait;
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
   * names and policy are the same goes on with its state, also where it failed. The others start anew and are
   * told of the live sessions with `resumed` set. To be called between batches.
   */
  replace(filters: readonly FilterPlan[], sessions: Iterable<SessionInfo>): FilterChain {
    const running = [...this.#filters];
    const live = [...sessions];
    this.#host.clock.refresh();
    this.#host.sessions.clear();
    for (const session of live) this.#host.sessions.set(session.index, session);
    const next = filters.map((plan) => {
      const at = running.findIndex((filter) => isSameFilter(filter.plan, plan));
      return at >= 0 ? running.splice(at, 1)[0]! : startForSessions(plan, this.#host, live);
    });
    return new FilterChain(this.#host, next);
  }

  /** Tells the filters of the end of the sessions that are still open. */
  close(): void {
    for (const index of [...this.#host.sessions.keys()]) this.closeSession(index);
  }

  /** Lists the datagrams to run, and where each payload begins before any filter has moved it. */
  #begin(batch: Batch, first: number, count: number): number {
    if (this.#live.length < batch.capacity) {
      this.#live = new Uint32Array(batch.capacity);
      this.#origins = new Uint32Array(batch.capacity);
    }
    const base = batch.descriptors >>> 2;
    let live = 0;
    for (let index = first; index < first + count; index++) {
      const word = base + index * DESCRIPTOR_WORDS;
      if ((batch.words[word + Word.action]! & 0xff) !== Action.Continue) continue;
      this.#origins[index] = batch.words[word + Word.data]!;
      this.#live[live++] = index;
    }
    return live;
  }
}

function startForSessions(
  plan: FilterPlan,
  host: ChainHost,
  sessions: readonly SessionInfo[],
): ChainedFilter {
  const filter = new ChainedFilter(plan, host);
  for (const session of sessions) filter.openSession({ ...session, resumed: true });
  return filter;
}

function isSameFilter(a: FilterPlan, b: FilterPlan): boolean {
  return (
    a.name === b.name &&
    a.digest === b.digest &&
    a.rootId === b.rootId &&
    a.vmId === b.vmId &&
    a.failurePolicy === b.failurePolicy &&
    isEqual(a.configuration, b.configuration) &&
    isEqual(a.vmConfiguration, b.vmConfiguration)
  );
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
