// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Action, type Batch, DESCRIPTOR_WORDS, Word } from "../datapath/batch.ts";
import { FIRST_SESSION_CONTEXT, LogLevel } from "./abi.ts";
import type { ChainPass } from "./chain-pass.ts";
import { ChainedFilter } from "./chained-filter.ts";
import type { MetricHandle, SessionInfo } from "./filter-environment.ts";
import type { RunnableFilter } from "./filter-options.ts";
import type { ChainHost } from "./guest-state.ts";
import type { StreamReport } from "./stream-report.ts";

/** Generations of a filter that are kept for their sessions besides the newest: each has its memory. */
const MAX_OLDER = 3;

/** A generation that is to go, with the sessions that began with it. */
interface Generation {
  readonly filter: ChainedFilter;
  readonly sessions: Set<number>;
  /** When those that are left go on with the newest one, in the worker's monotonic milliseconds. */
  readonly endsMs: number;
}

/**
 * A filter's place in a chain, and its generations there. New sessions meet the newest; those that there are stay with
 * theirs for as long as it asked for, and then go over. A newest one that fails while there is one before it is taken
 * back. Nothing here throws.
 */
export class FilterPlace {
  readonly #host: ChainHost;
  readonly #rollbacks: MetricHandle;
  #plan: RunnableFilter;
  #current: ChainedFilter;
  #older: Generation[] = [];
  /** The datagrams of one generation, while there are several. */
  #part = new Uint32Array(0);

  constructor(plan: RunnableFilter, host: ChainHost, sessions: Iterable<SessionInfo> = []) {
    this.#host = host;
    this.#plan = plan;
    const labels = { filter: plan.name, listener: host.env.listener };
    this.#rollbacks = host.env.defineMetric("counter", "msm_filter_rollbacks_total", labels);
    this.#current = new ChainedFilter(plan, host, this);
    for (const session of sessions) this.#current.openSession({ ...session, resumed: true });
  }

  /** The filter as it was configured last, whichever generation runs. */
  get plan(): RunnableFilter {
    return this.#plan;
  }

  get isFailed(): boolean {
    return this.#current.isFailed;
  }

  get memoryBytes(): number {
    return this.#all().reduce((sum, filter) => sum + filter.memoryBytes, 0);
  }

  openSession(session: SessionInfo): void {
    this.#current.openSession(session);
  }

  closeSession(index: number): void {
    const older = this.#older.find(({ sessions }) => sessions.delete(index));
    (older?.filter ?? this.#current).closeSession(index);
    if (older?.sessions.size === 0) this.#retire(older);
  }

  /** The session goes on in another chain. */
  handOver(index: number): void {
    const older = this.#older.find(({ sessions }) => sessions.has(index));
    (older?.filter ?? this.#current).handOver(index);
  }

  /** Begins a new generation for a new configuration. */
  replace(plan: RunnableFilter): void {
    this.#plan = plan;
    const next = new ChainedFilter(plan, this.#host, this);
    const before = this.#current;
    if (before.isFailed) {
      this.#current = next;
      for (const session of this.#host.sessions.values()) next.openSession({ ...session, resumed: true });
      return;
    }
    if (next.isFailed) {
      this.#noteRollback("it did not start");
      return;
    }
    const sessions = new Set(this.#host.sessions.keys());
    for (const older of this.#older) for (const index of older.sessions) sessions.delete(index);
    this.#current = next;
    this.#older.push({ filter: before, sessions, endsMs: this.#host.clock.nowMs + before.drainMs });
    if (sessions.size === 0) this.#older.pop();
    if (this.#older.length > MAX_OLDER) this.#move(this.#older[0]!);
  }

  /** Runs the first `count` datagrams of `live`; keeps in it those that go on, and returns how many they are. */
  run(batch: Batch, live: Uint32Array, count: number, pass: ChainPass): number {
    if (this.#older.length === 0) return this.#current.run(batch, live, count, pass);
    if (this.#part.length < batch.capacity) this.#part = new Uint32Array(batch.capacity);
    pass.noteOrigins(batch, live, count);
    for (const { filter, sessions } of this.#older) this.#runPart(filter, sessions, batch, live, count, pass);
    this.#runPart(this.#current, null, batch, live, count, pass);
    this.#takeBackFailed();
    return keepContinuing(batch, live, count);
  }

  /** When `tick` is to be called, in the worker's milliseconds. */
  get nextMs(): number {
    let next = this.#current.nextMs;
    for (const { filter, endsMs } of this.#older) next = Math.min(next, filter.nextMs, endsMs);
    return next;
  }

  queueReady(queue: number, owner: object): void {
    for (const filter of this.#all()) filter.queueReady(queue, owner);
  }

  /** Runs what is due, and ends generations whose time has come. Returns the milliseconds until the next, or Infinity. */
  tick(nowMs: number): number {
    this.#takeBackFailed();
    for (const older of [...this.#older]) if (older.endsMs <= nowMs) this.#move(older);
    let wait = this.#current.tick(nowMs);
    for (const { filter, endsMs } of this.#older) wait = Math.min(wait, filter.tick(nowMs), endsMs - nowMs);
    return wait;
  }

  streams(): readonly StreamReport[] {
    return this.#all().flatMap((filter) => filter.streams());
  }

  #all(): readonly ChainedFilter[] {
    return [this.#current, ...this.#older.map(({ filter }) => filter)];
  }

  /** Runs those datagrams whose sessions a generation has; `sessions` is null for the newest, which has the others. */
  #runPart(
    filter: ChainedFilter,
    sessions: ReadonlySet<number> | null,
    batch: Batch,
    live: Uint32Array,
    count: number,
    pass: ChainPass,
  ): void {
    const base = batch.descriptors >>> 2;
    let part = 0;
    for (let i = 0; i < count; i++) {
      const index = live[i]!;
      const session = batch.words[base + index * DESCRIPTOR_WORDS + Word.session]! - FIRST_SESSION_CONTEXT;
      if (sessions === null ? !this.#isOlder(session) : sessions.has(session)) this.#part[part++] = index;
    }
    if (part > 0) filter.run(batch, this.#part, part, pass);
  }

  #isOlder(session: number): boolean {
    for (let i = 0; i < this.#older.length; i++) if (this.#older[i]!.sessions.has(session)) return true;
    return false;
  }

  /** Lets the sessions of a generation go on with the newest, which may find what the older one left for it. */
  #move(generation: Generation): void {
    for (const index of generation.sessions) {
      const session = this.#host.sessions.get(index);
      if (session === undefined) continue;
      generation.filter.handOver(index);
      generation.filter.closeSession(index);
      this.#current.openSession({ ...session, resumed: true });
    }
    this.#retire(generation);
  }

  #retire(generation: Generation): void {
    this.#older = this.#older.filter((older) => older !== generation);
  }

  /** Where the newest failed before its predecessor was gone, the predecessor has everything again. */
  #takeBackFailed(): void {
    const before = this.#older.at(-1);
    if (before === undefined || !this.#current.isFailed || before.filter.isFailed) return;
    this.#current = before.filter;
    this.#retire(before);
    for (const session of this.#host.sessions.values()) {
      const isKnown = before.sessions.has(session.index) || this.#isOlder(session.index);
      if (!isKnown) this.#current.openSession({ ...session, resumed: true });
    }
    this.#noteRollback("it failed");
  }

  #noteRollback(why: string): void {
    this.#rollbacks.add(1);
    const text = `its new version was taken back: ${why}; the one before goes on until the configuration changes`;
    this.#host.env.log(LogLevel.Error, this.#plan.name, text);
  }
}

function keepContinuing(batch: Batch, live: Uint32Array, count: number): number {
  const base = batch.descriptors >>> 2;
  let kept = 0;
  for (let i = 0; i < count; i++) {
    const index = live[i]!;
    const action = batch.words[base + index * DESCRIPTOR_WORDS + Word.action]! & 0xff;
    if (action === Action.Continue) live[kept++] = index;
  }
  return kept;
}
