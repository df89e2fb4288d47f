// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { MessageChannel, type MessagePort, type Worker } from "node:worker_threads";
import { type CounterPage, createCounterPage } from "../datapath/counters.ts";
import type { LiveStream } from "../datapath/datapath.ts";
import { monotonicMs } from "../datapath/monotonic-clock.ts";
import { createSessionMemory } from "../datapath/session-table.ts";
import { createLegMemory } from "../flow/leg-records.ts";
import type { WorkerLink } from "../flow/worker/ring-links.ts";
import type { FlowUpdate, WorkerFlowEvent } from "../flow/worker-flow.ts";
import type { IoBackend, WorkerHandle } from "../io/io-backend.ts";
import type { DatapathLogger } from "./datapath-logger.ts";
import {
  type FromWorker,
  type MetricDefinition,
  type ToWorker,
  VITALS,
  Vital,
  type WorkerData,
  type WorkerUpdate,
} from "./protocol.ts";
import type { ThreadStarter } from "./thread-starter.ts";
import { TurnWatch } from "./turn-watch.ts";
import type { SinkRecord } from "./worker-sinks.ts";

/** A worker that lived so long was well; one that dies sooner waits before it is started again, longer each time. */
const HEALTHY_MS = 10_000;
const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 5_000;
/** How long a worker has to leave its loop before it is ended by force. */
const STOP_DEADLINE_MS = 500;
const STREAMS_DEADLINE_MS = 1000;

/** What a slot needs to know. */
export interface WorkerSlotOptions {
  readonly index: number;
  readonly backend: IoBackend;
  readonly threads: ThreadStarter;
  /** The most sessions of this worker. */
  readonly sessions: number;
  readonly logger: DatapathLogger;
  /** The counters of every worker, by its index. */
  readonly pages: () => readonly CounterPage[];
  /** Everything the worker should do now: what a new incarnation starts from. */
  readonly intent: () => WorkerUpdate;
  /** The most legs of this worker's flows. */
  readonly legs: number;
  /** The same of its flows. Links to signalling workers are made anew as well. */
  readonly flowIntent: (isResumed: boolean) => FlowUpdate;
  readonly onFlowEvent: (event: WorkerFlowEvent) => void;
  readonly relink: () => void;
  /** Writes what filters captured; they may not where it is undefined. */
  readonly writeSink: ((record: SinkRecord) => Promise<void>) | undefined;
}

/**
 * One datapath worker through all its incarnations: counters, sessions and sockets stay, the thread may die and is
 * started anew from the intent.
 */
export class WorkerSlot {
  readonly counters: CounterPage = createCounterPage();
  readonly metrics: MetricDefinition[] = [];
  /** How often the thread was replaced. */
  restarts = 0;
  readonly #options: WorkerSlotOptions;
  readonly #io: WorkerHandle;
  readonly #sessions: WebAssembly.Memory;
  /** The legs of its flows; see `LegRecords`. */
  readonly legs: WebAssembly.Memory;
  readonly #vitals = new Float64Array(new SharedArrayBuffer(VITALS * 8));
  readonly #watch = new TurnWatch(this.#vitals);
  /** Resolved by the first answer to this or a later message. */
  readonly #applied = new Map<number, () => void>();
  readonly #streams = new Map<number, (streams: readonly LiveStream[]) => void>();
  #worker: Worker | undefined;
  #port: MessagePort | undefined;
  #sequence = 0;
  #startedMs = 0;
  #quickDeaths = 0;
  #isStopping = false;
  /** Rejects the first start; later ones are tried again. */
  #failStart: ((reason: Error) => void) | undefined;

  constructor(options: WorkerSlotOptions) {
    this.#options = options;
    this.#io = options.backend.createWorkerHandle();
    this.#sessions = createSessionMemory(options.sessions);
    this.legs = createLegMemory(options.legs);
  }

  /** Starts the thread for the first time. Rejects where it ends before it has taken over the intent. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#failStart = reject;
      void this.#startThread().then(() => {
        this.#failStart = undefined;
        resolve();
      });
    });
  }

  #startThread(): Promise<void> {
    const { index, threads, pages } = this.#options;
    const { port1, port2 } = new MessageChannel();
    this.#vitals.fill(0);
    this.#startedMs = monotonicMs();
    const workerData: WorkerData = {
      index,
      ioHandle: this.#io.handle,
      sessions: this.#sessions,
      legs: this.legs,
      counters: this.counters,
      pages: pages(),
      vitals: this.#vitals,
      port: port2,
      metrics: this.metrics,
      hasSinks: this.#options.writeSink !== undefined,
    };
    const worker = threads.start(workerData, [port2]);
    this.#worker = worker;
    this.#port = port1;
    port1.on("message", (message: FromWorker) => this.#onMessage(message));
    port1.unref();
    worker.on("error", (error) =>
      this.#options.logger.error({ worker: index, error: String(error) }, "a datapath worker failed"),
    );
    worker.on("exit", () => this.#onExit(worker));
    void this.apply(this.#options.intent());
    this.#options.relink();
    return this.applyFlows(this.#options.flowIntent(this.restarts > 0));
  }

  /** Resolves when the worker, or one that replaces it, has taken the update over, or when it is stopped. */
  apply(update: WorkerUpdate): Promise<void> {
    return this.#ask((sequence) => ({ type: "apply", sequence, update }));
  }

  /** The same for flows. */
  applyFlows(update: FlowUpdate): Promise<void> {
    return this.#ask((sequence) => ({ type: "flows", sequence, update }));
  }

  /** Number of the eventfd that wakes this worker, or -1; see `LinkMessage`. */
  get eventfd(): number {
    return this.#io.eventfd;
  }

  /** Connects this incarnation with another thread. */
  link(link: WorkerLink): void {
    const transferred = typeof link.bell === "object" ? [link.bell] : [];
    this.#port?.postMessage({ type: "link", link } satisfies ToWorker, transferred);
    this.#io.wake();
  }

  unlink(attachment: number): void {
    this.#send({ type: "unlink", attachment });
  }

  /** The streams that the worker's filters report; none where it does not answer in time. */
  streams(): Promise<readonly LiveStream[]> {
    const sequence = ++this.#sequence;
    return new Promise((resolve) => {
      const answer = (streams: readonly LiveStream[]): void => {
        clearTimeout(timer);
        this.#streams.delete(sequence);
        resolve(streams);
      };
      const timer = setTimeout(() => answer([]), STREAMS_DEADLINE_MS);
      this.#streams.set(sequence, answer);
      this.#send({ type: "streams", sequence });
    });
  }

  /** Lets the worker fail, for tests of what happens then. */
  fail(how: "throw" | "spin"): void {
    this.#send({ type: "fail", how });
  }

  /** Ends the thread where a turn is overdue, see `TurnWatch`; it is then started anew. */
  checkTurn(limitMs: number): void {
    const overdue = this.#watch.look(limitMs);
    if (overdue === undefined || this.#isStopping) return;
    this.#vitals[Vital.turnStartMs] = 0;
    this.#options.logger.error(
      { worker: this.#options.index, ...overdue },
      "a datapath worker does not come back: ending it",
    );
    void this.#worker?.terminate();
  }

  /** Says whether the worker may take new sessions, as far as memory goes. */
  setShortOfMemory(isShort: boolean): void {
    this.#vitals[Vital.isShortOfMemory] = isShort ? 1 : 0;
  }

  /** Lets the thread leave its loop; it is not started anew. */
  requestStop(): void {
    this.#isStopping = true;
    this.#vitals[Vital.stop] = 1;
    this.#send({ type: "stop" });
  }

  /** Stops the thread. Other threads may wake it until `release`. */
  async stop(): Promise<void> {
    const worker = this.#worker;
    this.requestStop();
    if (worker !== undefined) {
      const exited = new Promise((resolve) => worker.once("exit", resolve));
      const timer = setTimeout(() => void worker.terminate(), STOP_DEADLINE_MS);
      await exited;
      clearTimeout(timer);
    }
    // Nobody will answer any more; whoever waits goes on to close what is left.
    for (const resolve of this.#applied.values()) resolve();
    this.#applied.clear();
  }

  /** Gives back what wakes the thread; no other is left that might. */
  release(): void {
    this.#io.close();
  }

  #ask(message: (sequence: number) => ToWorker): Promise<void> {
    if (this.#isStopping) return Promise.resolve();
    const sequence = ++this.#sequence;
    return new Promise((resolve) => {
      this.#applied.set(sequence, resolve);
      this.#send(message(sequence));
    });
  }

  #send(message: ToWorker): void {
    this.#port?.postMessage(message);
    this.#io.wake();
  }

  #onMessage(message: FromWorker): void {
    switch (message.type) {
      case "applied":
        for (const [sequence, resolve] of this.#applied) {
          if (sequence > message.sequence) continue;
          this.#applied.delete(sequence);
          resolve();
        }
        return;
      case "streams":
        this.#streams.get(message.sequence)?.(message.streams);
        return;
      case "flow":
        this.#options.onFlowEvent(message.event);
        return;
      case "sink":
        void this.#write(message.record);
        return;
      case "metric":
        this.metrics.push(message.definition);
        return;
      case "log":
        this.#options.logger[message.level](
          { worker: this.#options.index, ...message.fields },
          message.message,
        );
        return;
    }
  }

  async #write(record: SinkRecord): Promise<void> {
    const worker = this.#worker;
    await this.#options.writeSink?.(record);
    // A successor counts from nothing.
    if (worker === this.#worker) this.#vitals[Vital.sinkBytes]! += record.bytes.length;
  }

  #onExit(worker: Worker): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    this.#port?.close();
    if (this.#isStopping) return;
    if (this.#failStart) {
      this.#isStopping = true;
      this.#failStart(new Error(`datapath worker ${this.#options.index} ended while it was started`));
      return;
    }
    this.restarts++;
    this.#quickDeaths = monotonicMs() - this.#startedMs < HEALTHY_MS ? this.#quickDeaths + 1 : 0;
    // The first restart is at once: until then no datagram moves.
    const delayMs =
      this.#quickDeaths < 2 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (this.#quickDeaths - 2), LONGEST_DELAY_MS);
    this.#options.logger.warn({ worker: this.#options.index, delayMs }, "rebuilding a datapath worker");
    if (delayMs === 0) void this.#startThread();
    else setTimeout(() => void (this.#isStopping || this.#startThread()), delayMs);
  }
}
