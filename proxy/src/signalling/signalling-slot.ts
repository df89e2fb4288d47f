// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { MessageChannel, type MessagePort, type Worker } from "node:worker_threads";
import type { PluginConfig } from "@msm/xds-protos/envoy/extensions/wasm/v3/wasm_pb.js";
import { type CounterPage, createCounterPage } from "../datapath/counters.ts";
import { monotonicMs } from "../datapath/monotonic-clock.ts";
import type { FlowService, SignallingAttachment } from "../flow/flow-service.ts";
import type { Logger } from "../logger.ts";
import { type MetricDefinition, VITALS, Vital } from "../worker/protocol.ts";
import type { ThreadStarter } from "../worker/thread-starter.ts";
import { TurnWatch } from "../worker/turn-watch.ts";
import { FlowRelay } from "./flow-relay.ts";
import type {
  FromSignalling,
  ListenerAnswer,
  SignallingUpdate,
  SignallingWorkerData,
  ToSignalling,
} from "./protocol.ts";

/** A worker that lived so long was well; one that dies sooner waits before it is started again, longer each time. */
const HEALTHY_MS = 10_000;
const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 5_000;
/** How long a worker has to close its connections before it is ended by force. */
const STOP_DEADLINE_MS = 500;
/** For how long the flows of a worker that died go on without it. */
const FLOW_LINGER_MS = 10_000;

/** What a slot needs to know. */
export interface SignallingSlotOptions {
  readonly index: number;
  readonly threads: ThreadStarter;
  readonly flows: FlowService;
  readonly logger: Logger;
  /** The counters of every signalling worker. */
  readonly pages: () => readonly CounterPage[];
  /** Everything the worker should do now: what a new incarnation starts from. */
  readonly intent: () => SignallingUpdate;
  readonly chainOf: (listener: string) => readonly PluginConfig[];
  /** The thread is gone: nothing of what it counted as active is. */
  readonly onGone: () => void;
  /** A new incarnation has opened the listeners, or not. */
  readonly onRebuilt: (answers: readonly ListenerAnswer[]) => void;
}

/** One signalling worker through all its incarnations. It runs only while it has something to do. */
export class SignallingSlot {
  readonly counters: CounterPage = createCounterPage();
  readonly metrics: MetricDefinition[] = [];
  /** How often the thread was replaced. */
  restarts = 0;
  readonly #options: SignallingSlotOptions;
  readonly #vitals = new Float64Array(new SharedArrayBuffer(VITALS * 8));
  readonly #watch = new TurnWatch(this.#vitals);
  readonly #applied = new Map<number, (answers: readonly ListenerAnswer[]) => void>();
  #worker: Worker | undefined;
  #port: MessagePort | undefined;
  #relay: FlowRelay | undefined;
  #attachment: SignallingAttachment | undefined;
  #sequence = 0;
  #startedMs = 0;
  #quickDeaths = 0;
  #restartTimer: NodeJS.Timeout | undefined;
  #isStopping = false;

  constructor(options: SignallingSlotOptions) {
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#worker !== undefined || this.#restartTimer !== undefined;
  }

  /** Resolves when the worker has put the update into effect, without answers where it died. Starts it where it does not run. */
  apply(update: SignallingUpdate): Promise<readonly ListenerAnswer[]> {
    if (!this.isRunning) this.#startThread();
    return this.#send(update);
  }

  /** Ends the thread where a call into a filter is overdue, see `TurnWatch`; it is then started anew. */
  checkTurn(limitMs: number): void {
    const overdue = this.#watch.look(limitMs);
    if (overdue === undefined || this.#isStopping) return;
    this.#vitals[Vital.turnStartMs] = 0;
    const fields = { worker: this.#options.index, ...overdue };
    this.#options.logger.error(fields, "a signalling worker does not come back: ending it");
    void this.#worker?.terminate();
  }

  /** The filters of a listener's media are others now: flows that are open follow. */
  rechain(listener: string): void {
    this.#relay?.rechain(listener);
  }

  /** Lets the worker fail, for tests of what happens then. */
  fail(how: "throw" | "spin"): void {
    this.#post({ type: "fail", how });
  }

  /** Stops the thread. It may be started again by `apply`. */
  async stop(): Promise<void> {
    clearTimeout(this.#restartTimer);
    this.#restartTimer = undefined;
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#isStopping = true;
    this.#post({ type: "stop" });
    const exited = new Promise((resolve) => worker.once("exit", resolve));
    const timer = setTimeout(() => void worker.terminate(), STOP_DEADLINE_MS);
    await exited;
    clearTimeout(timer);
    this.#isStopping = false;
  }

  #startThread(): void {
    const { index, threads, flows, pages, chainOf } = this.#options;
    const control = new MessageChannel();
    const links = new MessageChannel();
    this.#vitals.fill(0);
    this.#startedMs = monotonicMs();
    this.#restartTimer = undefined;
    this.#attachment = flows.attach(links.port1);
    const workerData: SignallingWorkerData = {
      ...{ index, attachment: this.#attachment.number, counters: this.counters, pages: pages() },
      ...{ vitals: this.#vitals, port: control.port2, links: links.port2, metrics: this.metrics },
    };
    const worker = threads.start(workerData, [control.port2, links.port2]);
    this.#worker = worker;
    this.#port = control.port1;
    this.#relay = new FlowRelay(flows, chainOf, (message) => this.#post(message));
    control.port1.on("message", (message: FromSignalling) => this.#onMessage(message));
    control.port1.unref();
    worker.on("error", (error) =>
      this.#options.logger.error(
        { worker: index, error: error.stack ?? String(error) },
        "a signalling worker failed",
      ),
    );
    worker.on("exit", () => this.#onExit(worker));
  }

  #send(update: SignallingUpdate): Promise<readonly ListenerAnswer[]> {
    const sequence = ++this.#sequence;
    return new Promise((resolve) => {
      this.#applied.set(sequence, resolve);
      this.#post({ type: "apply", sequence, update });
    });
  }

  #post(message: ToSignalling): void {
    this.#port?.postMessage(message);
  }

  #onMessage(message: FromSignalling): void {
    switch (message.type) {
      case "applied":
        this.#applied.get(message.sequence)?.(message.answers);
        this.#applied.delete(message.sequence);
        return;
      case "flow":
        this.#relay?.handle(message.listener, message.owner, message.order);
        return;
      case "metric":
        this.metrics.push(message.definition);
        return;
      case "log":
        this.#options.logger[message.level](
          { worker: this.#options.index, ...message.fields },
          message.message,
        );
    }
  }

  #onExit(worker: Worker): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    this.#port?.close();
    this.#attachment?.detach();
    this.#relay?.releaseAll(this.#isStopping ? 0 : FLOW_LINGER_MS);
    for (const { kind, slot } of this.metrics) if (kind === "gauge") this.counters[slot] = 0;
    this.#options.onGone();
    for (const resolve of this.#applied.values()) resolve([]);
    this.#applied.clear();
    if (this.#isStopping) return;
    this.restarts++;
    this.#quickDeaths = monotonicMs() - this.#startedMs < HEALTHY_MS ? this.#quickDeaths + 1 : 0;
    // The first restart is at once: until then nobody listens.
    const delayMs =
      this.#quickDeaths < 2 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (this.#quickDeaths - 2), LONGEST_DELAY_MS);
    this.#options.logger.warn({ worker: this.#options.index, delayMs }, "rebuilding a signalling worker");
    this.#restartTimer = setTimeout(() => void this.#rebuild(), delayMs);
  }

  async #rebuild(): Promise<void> {
    this.#startThread();
    this.#options.onRebuilt(await this.#send(this.#options.intent()));
  }
}
