// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import { CounterBlocks } from "../datapath/counter-blocks.ts";
import { ClusterSlot, EndpointSlot } from "../datapath/counters.ts";
import type { LiveEndpoint } from "../datapath/datapath.ts";
import type { FlowService } from "../flow/flow-service.ts";
import type { Logger } from "../logger.ts";
import type { ClusterPlan, Plan, PlanRejection, SignallingPlan, SocketAddress } from "../plan.ts";
import type { Sample } from "../stats/sample.ts";
import { withSslName } from "../tls/ssl-metrics.ts";
import { ClusterRegistry } from "../worker/cluster-registry.ts";
import { clusterSamples, filterSamples, mergeSamples } from "../worker/datapath-samples.ts";
import { liveEndpoints } from "../worker/live-endpoint.ts";
import type { WorkerClusterChange } from "../worker/protocol.ts";
import { ThreadStarter } from "../worker/thread-starter.ts";
import { workerEntry } from "../worker/worker-entry.ts";
import type { ListenerAnswer, ListenerOrder, SignallingCluster, SignallingUpdate } from "./protocol.ts";
import { SignallingSlot } from "./signalling-slot.ts";

/** How long a call into a filter may last before its worker is ended: far above what fuel allows. */
const TURN_LIMIT_MS = 2_000;
const WATCH_INTERVAL_MS = 500;
/** Signalling is light; a listener keeps to one worker anyway. */
const MAX_WORKERS = 4;
const DEFAULT_CONNECT_TIMEOUT_MS = 5_000;

/** How signalling runs. */
export interface SignallingPoolOptions {
  /** The most worker threads. */
  readonly concurrency: number;
  readonly flows: FlowService;
  readonly logger: Logger;
}

/** A signalling listener as it runs. */
export interface LiveSignalling {
  readonly plan: SignallingPlan;
  readonly localAddress: SocketAddress;
  readonly worker: number;
}

/** The main thread's hold on signalling: which listener is in which worker, and what each of them should do. */
export class SignallingPool {
  readonly #threads: ThreadStarter;
  readonly #slots: readonly SignallingSlot[];
  readonly #blocks: CounterBlocks;
  readonly #clusters: ClusterRegistry;
  readonly #watch: NodeJS.Timeout;
  readonly #logger: Logger;
  readonly #live = new Map<string, LiveSignalling>();
  #plans: ReadonlyMap<string, ClusterPlan> = new Map();
  /** Plans are put into effect one after the other. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor({ concurrency, flows, logger }: SignallingPoolOptions) {
    this.#logger = logger;
    const threads = new ThreadStarter({
      entry: workerEntry(import.meta.url, "signalling-worker"),
      name: "signalling",
      // Conditions of whoever started this process would resolve packages to sources, which no worker can run.
      execArgv: [],
    });
    this.#threads = threads;
    this.#slots = Array.from(
      { length: Math.max(1, Math.min(concurrency, MAX_WORKERS)) },
      (_, index) =>
        new SignallingSlot({
          ...{ index, threads, flows, logger },
          pages: () => this.#slots.map(({ counters }) => counters),
          intent: () => this.#intent(index),
          chainOf: (listener) => this.#live.get(listener)?.plan.mediaChain ?? [],
          onGone: () => this.#clearActive(index),
          onRebuilt: (answers) => this.#noteRebuilt(answers),
        }),
    );
    this.#blocks = new CounterBlocks(this.#slots.map(({ counters }) => counters));
    this.#clusters = new ClusterRegistry(this.#blocks);
    this.#watch = setInterval(() => {
      for (const slot of this.#slots) slot.checkTurn(TURN_LIMIT_MS);
    }, WATCH_INTERVAL_MS).unref();
  }

  /** Makes signalling follow a plan. Listeners that could not be opened are returned; they run on as they were. */
  apply(plan: Plan): Promise<readonly PlanRejection[]> {
    const applied = this.#tail.then(() => this.#apply(plan));
    this.#tail = applied.catch(() => {});
    return applied;
  }

  listeners(): readonly LiveSignalling[] {
    return [...this.#live.values()];
  }

  /** The endpoints of every cluster, with the sessions that signalling has there. */
  endpoints(clusters?: ReadonlySet<string>): readonly LiveEndpoint[] {
    return liveEndpoints(this.#clusters.all, this.#blocks, clusters);
  }

  samples(): readonly Sample[] {
    const value = this.#slots.reduce((sum, { restarts }) => sum + restarts, 0);
    const help = "Signalling workers that died or did not come back, and were rebuilt.";
    const name = "msm_signalling_worker_restarts_total";
    return mergeSamples([
      ...clusterSamples(this.#clusters.all, this.#blocks),
      ...filterSamples(this.#slots, (listener) => this.#live.has(listener)).map(withSslName),
      { kind: "counter", name, help, labels: {}, value },
    ]);
  }

  /** Lets a worker fail, to see that it is rebuilt. Returns false where none runs under this number. */
  fail(worker: number, how: "throw" | "spin"): boolean {
    const slot = this.#slots[worker];
    slot?.fail(how);
    return slot?.isRunning ?? false;
  }

  async close(): Promise<void> {
    clearInterval(this.#watch);
    await this.#tail;
    await Promise.all([this.#threads.close(), ...this.#slots.map((slot) => slot.stop())]);
  }

  async #apply({ signalling = [], clusters }: Plan): Promise<readonly PlanRejection[]> {
    // Nothing of it is told to anyone before there is something to do.
    if (signalling.length === 0 && this.#live.size === 0) return [];
    this.#plans = new Map(clusters.map((cluster) => [cluster.name, cluster]));
    const change = this.#clusters.update(clusters);
    const names = new Set(signalling.map(({ name }) => name));
    const removed = [...this.#live.values()].filter(({ plan }) => !names.has(plan.name));
    for (const { plan } of removed) this.#live.delete(plan.name);
    const wanted = signalling.filter((plan) => this.#live.get(plan.name)?.plan !== plan);
    const placed = this.#place(wanted);
    const rejections = await Promise.all(
      this.#slots.map(async (slot, index) => {
        const plans = placed.filter(({ worker }) => worker === index).map(({ plan }) => plan);
        if (plans.length === 0 && !slot.isRunning) return [];
        const isFresh = !slot.isRunning;
        const answers = await slot.apply({
          listeners: plans.map(toOrder),
          removedListeners: removed.filter(({ worker }) => worker === index).map(({ plan }) => plan.name),
          clusters: (isFresh ? this.#clusters.all : change.changed).map((cluster) =>
            this.#toCluster(cluster),
          ),
          removedClusters: change.removed,
        });
        return this.#note(plans, index, answers);
      }),
    );
    change.release();
    await this.#stopIdle();
    return rejections.flat();
  }

  /** A listener stays in its worker; a new one goes where the fewest are. */
  #place(
    plans: readonly SignallingPlan[],
  ): readonly { readonly plan: SignallingPlan; readonly worker: number }[] {
    const load = this.#slots.map((_, index) => this.#of(index).length);
    return plans.map((plan) => {
      const worker = this.#live.get(plan.name)?.worker ?? load.indexOf(Math.min(...load));
      if (!this.#live.has(plan.name)) load[worker]! += 1;
      return { plan, worker };
    });
  }

  #note(
    plans: readonly SignallingPlan[],
    worker: number,
    answers: readonly ListenerAnswer[],
  ): readonly PlanRejection[] {
    const byName = new Map(answers.map((answer) => [answer.name, answer]));
    return plans.flatMap((plan) => {
      const answer = byName.get(plan.name) ?? { name: plan.name, error: "its worker did not start, or died" };
      if ("error" in answer) return [{ listener: plan.name, error: new Error(answer.error) }];
      const before = this.#live.get(plan.name)?.plan.mediaChain ?? [];
      this.#live.set(plan.name, { plan, worker, localAddress: answer.localAddress });
      if (!isDeepStrictEqual(before, plan.mediaChain)) this.#slots[worker]!.rechain(plan.name);
      return [];
    });
  }

  #noteRebuilt(answers: readonly ListenerAnswer[]): void {
    for (const answer of answers) {
      const known = this.#live.get(answer.name);
      if (known === undefined) continue;
      if ("error" in answer) {
        const fields = { listener: answer.name, error: answer.error };
        this.#logger.error(fields, "a signalling listener could not be opened again");
      } else this.#live.set(answer.name, { ...known, localAddress: answer.localAddress });
    }
  }

  async #stopIdle(): Promise<void> {
    await Promise.all(
      this.#slots.map((slot, index) => (this.#of(index).length === 0 ? slot.stop() : undefined)),
    );
  }

  #intent(worker: number): SignallingUpdate {
    return {
      // Port 0 got a number, which clients know by now.
      listeners: this.#of(worker).map(({ plan, localAddress }) => ({
        ...toOrder(plan),
        address: localAddress,
      })),
      removedListeners: [],
      clusters: this.#clusters.all.map((cluster) => this.#toCluster(cluster)),
      removedClusters: [],
    };
  }

  #of(worker: number): readonly LiveSignalling[] {
    return [...this.#live.values()].filter((live) => live.worker === worker);
  }

  #toCluster(cluster: WorkerClusterChange): SignallingCluster {
    const { connectTimeoutMs = DEFAULT_CONNECT_TIMEOUT_MS, outliers } = this.#plans.get(cluster.name) ?? {};
    const consecutive = outliers?.consecutive;
    return { ...cluster, connectTimeoutMs, ...(consecutive === undefined ? {} : { consecutive }) };
  }

  /** The sessions of a worker that is gone are over. */
  #clearActive(worker: number): void {
    const page = this.#slots[worker]?.counters;
    if (page === undefined) return;
    for (const { counters, endpoints } of this.#clusters.all) {
      page[counters + ClusterSlot.sessionsActive] = 0;
      page[counters + ClusterSlot.pendingActive] = 0;
      for (const endpoint of endpoints) page[endpoint.counters + EndpointSlot.sessionsActive] = 0;
    }
  }
}

function toOrder({ mediaChain: _, ...order }: SignallingPlan): ListenerOrder {
  return order;
}
