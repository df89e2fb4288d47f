// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Action, type Batch, DESCRIPTOR_WORDS, Word } from "../datapath/batch.ts";
import { LogLevel, REASON_FILTER_FAILED } from "./abi.ts";
import type { ChainPass } from "./chain-pass.ts";
import { ChainSink } from "./chain-sink.ts";
import type { MetricHandle, SessionInfo } from "./filter-environment.ts";
import { type FailureKind, failureKinds, toFilterFailure } from "./filter-failure.ts";
import { FilterInstance } from "./filter-instance.ts";
import type { RunnableFilter } from "./filter-options.ts";
import type { ChainHost } from "./guest-state.ts";
import { ReloadTimer } from "./reload-timer.ts";
import type { StreamReport } from "./stream-report.ts";

/**
 * A filter's place in a chain: its instance while it works, and its failure policy afterwards. Nothing here
 * throws. An instance that failed is discarded, and made again when its reload policy says so or its configuration
 * changes.
 */
export class ChainedFilter {
  readonly plan: RunnableFilter;
  readonly #host: ChainHost;
  readonly #owner: object;
  readonly #failures: Readonly<Record<FailureKind, MetricHandle>>;
  readonly #withheld: MetricHandle;
  readonly #reloads: MetricHandle;
  readonly #reload: ReloadTimer;
  #instance: FilterInstance | null = null;

  /** `owner` is whose the datagrams are that this filter diverts: its place in the chain. */
  constructor(plan: RunnableFilter, host: ChainHost, owner: object) {
    this.plan = plan;
    this.#host = host;
    this.#owner = owner;
    const { env } = host;
    const labels = { filter: plan.name, listener: env.listener };
    const counter = (kind: FailureKind) =>
      env.defineMetric("counter", "msm_filter_failures_total", { ...labels, kind });
    this.#failures = Object.fromEntries(failureKinds.map((kind) => [kind, counter(kind)])) as Record<
      FailureKind,
      MetricHandle
    >;
    const reason = { ...labels, reason: "filter_failed" };
    this.#withheld = env.defineMetric("counter", "msm_filter_dropped_total", reason);
    this.#reloads = env.defineMetric("counter", "msm_filter_reloads_total", labels);
    this.#reload = new ReloadTimer(plan.reload, host.clock.nowMs);
    this.#start();
  }

  /** Whether the instance failed, so that the failure policy holds. */
  get isFailed(): boolean {
    return this.#instance === null;
  }

  /** Bytes of the instance's memory; 0 while there is none. */
  get memoryBytes(): number {
    return this.#instance?.memoryBytes ?? 0;
  }

  openSession(session: SessionInfo): void {
    this.#guard(() => this.#instance?.openSession(session));
  }

  closeSession(index: number): void {
    this.#guard(() => this.#instance?.closeSession(index));
  }

  /** For how long sessions stay with this filter when another takes its place. */
  get drainMs(): number {
    return this.#instance?.drainMs ?? 0;
  }

  /** Lets the filter leave what its successor needs of a session. */
  handOver(index: number): void {
    this.#guard(() => this.#instance?.handOver(index));
  }

  /** Runs the first `count` datagrams of `live`; keeps in it those that go on, and returns how many they are. */
  run(batch: Batch, live: Uint32Array, count: number, pass: ChainPass): number {
    if (this.#instance === null && this.#host.clock.nowMs >= this.#reload.dueMs) this.#restart();
    if (this.#instance !== null) {
      try {
        const stopped = this.#instance.run(batch, live, count, pass);
        return stopped === 0 ? count : keepContinuing(batch, live, count);
      } catch (thrown) {
        this.#fail(thrown);
      }
    }
    const remaining = keepContinuing(batch, live, count);
    if (this.plan.failurePolicy === "FAIL_OPEN") return remaining;
    pass.touch(batch);
    this.#withhold(batch, live, remaining);
    return 0;
  }

  /** When the filter wants to be called without datagrams, or is to be made again, in the worker's milliseconds. */
  get nextMs(): number {
    return this.#instance?.nextMs ?? this.#reload.dueMs;
  }

  /** Tells of entries in a queue, if the filter registered it. */
  queueReady(queue: number, owner: object): void {
    this.#guard(() => this.#instance?.queueReady(queue, owner));
  }

  /** Milliseconds until the filter wants the next tick, or is to be made again, or Infinity. */
  tick(nowMs: number): number {
    if (this.#instance === null) {
      if (nowMs < this.#reload.dueMs) return this.#reload.dueMs - nowMs;
      this.#restart();
    }
    return this.#guard(() => this.#instance?.tick(nowMs)) ?? Number.POSITIVE_INFINITY;
  }

  streams(): readonly StreamReport[] {
    return this.#guard(() => this.#instance?.streams()) ?? [];
  }

  #start(): void {
    this.#guard(() => {
      this.#instance = new FilterInstance(this.plan, this.#host, new ChainSink(this.#owner, this.#host));
    });
  }

  /** Makes the filter anew and tells it of the sessions that there are. */
  #restart(): void {
    this.#reload.start(this.#host.clock.nowMs);
    this.#reloads.add(1);
    this.#start();
    for (const session of this.#host.sessions.values()) this.openSession({ ...session, resumed: true });
  }

  #guard<T>(call: () => T): T | undefined {
    try {
      return call();
    } catch (thrown) {
      this.#fail(thrown);
      return undefined;
    }
  }

  #fail(thrown: unknown): void {
    const failure = toFilterFailure(thrown, "trap", "filter");
    this.#instance = null;
    this.#failures[failure.kind].add(1);
    this.#host.detour?.abandon(this.#owner, this.plan.failurePolicy === "FAIL_OPEN");
    const waitMs = this.#reload.fail(this.#host.clock.nowMs);
    const then = this.plan.failurePolicy === "FAIL_OPEN" ? "it is bypassed" : "its datagrams are dropped";
    const until = waitMs === null ? "until its configuration changes" : `and it is made anew in ${waitMs} ms`;
    const text = `failed (${failure.kind}): ${failure.message}; ${then} ${until}`;
    this.#host.env.log(LogLevel.Error, this.plan.name, text);
  }

  #withhold(batch: Batch, live: Uint32Array, count: number): void {
    const base = batch.descriptors >>> 2;
    for (let i = 0; i < count; i++) {
      batch.words[base + live[i]! * DESCRIPTOR_WORDS + Word.action] =
        Action.Drop | (REASON_FILTER_FAILED << 8);
    }
    if (count > 0) this.#withheld.add(count);
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
