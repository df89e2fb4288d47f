// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { CounterBlocks } from "../datapath/counter-blocks.ts";
import { WorkerCounter } from "../datapath/counters.ts";
import type { Datapath, LiveEndpoint, LiveListener, LiveStream } from "../datapath/datapath.ts";
import { FLOWS } from "../datapath/flows-name.ts";
import type { LoadFilter } from "../flow/chain-cache.ts";
import { FlowRegistry } from "../flow/flow-registry.ts";
import type { FlowService } from "../flow/flow-service.ts";
import type { MediaPorts } from "../flow/media-sockets.ts";
import type { IoBackend } from "../io/io-backend.ts";
import { chooseBackend } from "../io/load-backend.ts";
import type { EndpointPlan, Plan, PlanRejection } from "../plan.ts";
import type { Sample } from "../stats/sample.ts";
import { clusterParts } from "./cluster-parts.ts";
import { ClusterRegistry } from "./cluster-registry.ts";
import type { DatapathLogger } from "./datapath-logger.ts";
import { clusterSamples, filterSamples, listenerSamples, mergeSamples } from "./datapath-samples.ts";
import { ListenerRegistry } from "./listener-registry.ts";
import { liveEndpoints } from "./live-endpoint.ts";
import { MemoryGuard } from "./memory-guard.ts";
import type { WorkerPreparation, WorkerUpdate } from "./protocol.ts";
import { SinkFiles } from "./sink-files.ts";
import { ThreadStarter } from "./thread-starter.ts";
import { workerEntry } from "./worker-entry.ts";
import { WorkerSlot } from "./worker-slot.ts";

/** How long a turn may last before its worker is ended, see `TurnWatch`: far above any honest one. */
const TURN_LIMIT_MS = 2_000;
const WATCH_INTERVAL_MS = 500;
/** Records of 16 MiB and an index of 1 MiB, of which what is not used takes no memory. */
const DEFAULT_SESSIONS = 131_072;
/** 8 MiB a worker where all are used. */
const LEGS = 32_768;
/** The original project's range of media ports. */
const DEFAULT_PORTS: MediaPorts = { first: 16_384, last: 32_767 };

/** How the datapath runs. */
export interface DatapathOptions {
  /** Name of an I/O backend, or `auto` for the best that runs here. */
  readonly io: string;
  /** Worker threads; at most what the backend can use. */
  readonly concurrency: number;
  readonly logger: DatapathLogger;
  /** The most sessions of one worker. */
  readonly sessionsPerWorker?: number;
  /** Local ports for legs of flows that name none; 16384 to 32767 unless said. */
  readonly mediaPorts?: MediaPorts;
  /** Receivers of a flow that its own worker serves before other workers serve some; 64 unless said. */
  readonly receiversAtHome?: number;
  /** With more resident memory of the process no sessions and no legs of flows are taken; no limit unless said. */
  readonly memoryLimitBytes?: number | undefined;
  /** Folder for what filters capture; they may not write where it is undefined. */
  readonly captureFolder?: string | undefined;
  /** Loads the filters of flows; without it they run without. */
  readonly loadFilter?: LoadFilter | undefined;
}

/** Starts the datapath with an empty plan. Throws a RangeError where the I/O backend cannot run. */
export async function startDatapath(options: DatapathOptions): Promise<WorkerPool> {
  const backend = await chooseBackend(options.io);
  const pool = new WorkerPool(backend, options);
  await pool.start();
  return pool;
}

/** The main thread's hold on the datapath: the authoritative intent, and the workers that follow it. */
export class WorkerPool implements Datapath {
  readonly io: string;
  readonly concurrency: number;
  readonly #threads: ThreadStarter;
  readonly #slots: readonly WorkerSlot[];
  readonly #blocks: CounterBlocks;
  readonly #listeners: ListenerRegistry;
  readonly #clusters: ClusterRegistry;
  readonly #flows: FlowRegistry;
  readonly #sinks: SinkFiles | undefined;
  readonly #memory: MemoryGuard;
  #watch: NodeJS.Timeout | undefined;
  /** The listeners that every worker serves. */
  #live: readonly LiveListener[] = [];
  /** Plans are put into effect one after the other. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(backend: IoBackend, options: DatapathOptions) {
    const { concurrency, logger, sessionsPerWorker = DEFAULT_SESSIONS } = options;
    const { captureFolder } = options;
    const sinks = captureFolder === undefined ? undefined : new SinkFiles(captureFolder, logger);
    this.#sinks = sinks;
    this.#memory = new MemoryGuard(options.memoryLimitBytes);
    this.io = backend.name;
    this.concurrency = Math.min(concurrency, backend.maxConcurrency);
    const threads = new ThreadStarter({
      entry: workerEntry(import.meta.url, "datapath-worker"),
      name: "datapath",
      preparation: { io: backend.name } satisfies WorkerPreparation,
    });
    this.#threads = threads;
    this.#slots = Array.from(
      { length: this.concurrency },
      (_, index) =>
        new WorkerSlot({
          index,
          backend,
          threads,
          sessions: sessionsPerWorker,
          logger,
          pages: () => this.#slots.map(({ counters }) => counters),
          intent: () => this.#intent(index),
          legs: LEGS,
          flowIntent: (isResumed) => this.#flows.intent(index, isResumed),
          onFlowEvent: (event) => this.#flows.onWorkerEvent(index, event),
          relink: () => this.#flows.relink(index),
          writeSink: sinks && ((record) => sinks.write(index, record)),
        }),
    );
    this.#blocks = new CounterBlocks(this.#slots.map(({ counters }) => counters));
    this.#listeners = new ListenerRegistry(backend, this.concurrency, this.#blocks);
    this.#clusters = new ClusterRegistry(this.#blocks);
    this.#flows = new FlowRegistry({
      concurrency: this.concurrency,
      legs: this.#slots.map(({ legs }) => legs),
      loadFilter: options.loadFilter,
      ports: options.mediaPorts ?? DEFAULT_PORTS,
      receiversAtHome: options.receiversAtHome,
      isShortOfMemory: () => this.#memory.isShort,
      openSocket: (socket) => backend.openMediaSocket(socket),
      update: (worker, update) => this.#slots[worker]!.applyFlows(update),
      eventfd: (worker) => this.#slots[worker]!.eventfd,
      link: (worker, link) => this.#slots[worker]!.link(link),
      unlink: (worker, attachment) => this.#slots[worker]!.unlink(attachment),
    });
  }

  get flowService(): FlowService {
    return this.#flows;
  }

  /** Starts the workers. */
  async start(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.start()));
    this.#watch = setInterval(() => {
      this.#memory.look();
      for (const slot of this.#slots) {
        slot.setShortOfMemory(this.#memory.isShort);
        slot.checkTurn(TURN_LIMIT_MS);
      }
    }, WATCH_INTERVAL_MS);
    this.#watch.unref();
    process.once("exit", this.#onProcessExit);
  }

  apply(plan: Plan): Promise<readonly PlanRejection[]> {
    const applied = this.#tail.then(() => this.#apply(plan));
    this.#tail = applied.catch(() => {});
    return applied;
  }

  listeners(): readonly LiveListener[] {
    return this.#live;
  }

  endpoints(clusters?: ReadonlySet<string>): readonly LiveEndpoint[] {
    return liveEndpoints(this.#clusters.all, this.#blocks, clusters);
  }

  members(): ReadonlyMap<string, readonly EndpointPlan[]> {
    return new Map(this.#clusters.all.map(({ name, endpoints }) => [name, endpoints]));
  }

  samples(): readonly Sample[] {
    const listeners = this.#listeners.all.map(({ plan, counters }) => ({
      name: plan.name,
      statPrefix: plan.statPrefix,
      counters,
    }));
    const names = new Set([FLOWS, ...listeners.map(({ name }) => name)]);
    return mergeSamples([
      ...listenerSamples(listeners, this.#blocks),
      ...clusterSamples(this.#clusters.all, this.#blocks),
      ...filterSamples(this.#slots, (name) => names.has(name)),
      ...this.#flows.samples(),
      ...this.#memory.samples(),
      this.#restartSample(),
      this.#strangerSample(),
    ]);
  }

  async streams(): Promise<readonly LiveStream[]> {
    return (await Promise.all(this.#slots.map((slot) => slot.streams()))).flat();
  }

  fail(worker: number, how: "throw" | "spin"): boolean {
    this.#slots[worker]?.fail(how);
    return this.#slots[worker] !== undefined;
  }

  async close(): Promise<void> {
    clearInterval(this.#watch);
    process.off("exit", this.#onProcessExit);
    this.#flows.detachAll();
    await this.#threads.close();
    // Before what is being applied ends: a worker that cannot be started would have it wait for good.
    await Promise.all(this.#slots.map((slot) => slot.stop()));
    for (const slot of this.#slots) slot.release();
    await this.#sinks?.close();
    await this.#tail;
    this.#listeners.close();
    this.#flows.shutDown();
  }

  /** Node waits at its exit for every thread: one that sleeps in a system call would hold it up for good. */
  readonly #onProcessExit = (): void => {
    for (const slot of this.#slots) slot.requestStop();
  };

  async #apply(plan: Plan): Promise<readonly PlanRejection[]> {
    const listeners = await this.#listeners.update(plan.listeners);
    const clusters = this.#clusters.update(plan.clusters);
    const parts = clusterParts(clusters.changed);
    for (const part of parts.slice(0, -1)) {
      const update = { listeners: [], removedListeners: [], clusters: part, removedClusters: [] };
      await Promise.all(this.#slots.map((slot) => slot.apply(update)));
    }
    await Promise.all(
      this.#slots.map((slot, index) =>
        slot.apply({
          listeners: listeners.changed.map((entry) => this.#listeners.toWorker(entry, index)),
          removedListeners: listeners.removed,
          clusters: parts.at(-1) ?? [],
          removedClusters: clusters.removed,
        }),
      ),
    );
    listeners.release();
    clusters.release();
    this.#live = this.#listeners.all.map(({ plan, localAddress, receiveBufferBytes }) => ({
      plan,
      localAddress,
      receiveBufferBytes,
    }));
    return listeners.rejections;
  }

  #intent(worker: number): WorkerUpdate {
    return {
      listeners: this.#listeners.all.map((entry) => this.#listeners.toWorker(entry, worker)),
      removedListeners: [],
      clusters: this.#clusters.all,
      removedClusters: [],
    };
  }

  #strangerSample(): Sample {
    const value = this.#blocks.total(WorkerCounter.strangers);
    const help = "Datagrams to ports that sessions share from addresses that no session there goes to.";
    return { kind: "counter", name: "msm_upstream_strangers_total", help, labels: {}, value };
  }

  #restartSample(): Sample {
    const value = this.#slots.reduce((sum, { restarts }) => sum + restarts, 0);
    const help = "Datapath workers that died or did not come back, and were rebuilt.";
    return { kind: "counter", name: "msm_worker_restarts_total", help, labels: {}, value };
  }
}
