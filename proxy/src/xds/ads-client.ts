// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Rejection, ResourceType, ResourceUpdate } from "../config/resource.ts";
import type { Logger } from "../logger.ts";
import type { AdsStream } from "./ads-stream.ts";
import { backoffMs } from "./backoff.ts";
import type { ClientState } from "./client-state.ts";
import { type LifetimeClock, Lifetimes, systemLifetimeClock } from "./lifetimes.ts";
import { nackText } from "./nack-text.ts";
import type { XdsStats } from "./xds-stats.ts";

/** What the client needs of the configuration store. */
export interface ResourceSink {
  apply(update: ResourceUpdate): Promise<readonly Rejection[]>;
  assignmentNames(): ReadonlySet<string>;
  filterNames(): ReadonlySet<string>;
  routeNames(): ReadonlySet<string>;
  secretNames(): ReadonlySet<string>;
}

/** Time and chance, as the client sees them. */
export interface Surroundings {
  nowMs(): number;
  /** Resolves after so many milliseconds, or when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Uniform from 0 to 1. */
  random(): number;
}

/** A control plane by its name in logs, and how to open a stream to it; `onConnected` is called later. */
export interface AdsTarget<Request, Response> {
  readonly name: string;
  open(onConnected: () => void): AdsStream<Request, Response>;
}

export interface AdsClientOptions<Request, Response> {
  readonly state: ClientState<Request, Response>;
  readonly sink: ResourceSink;
  /** At least one; the next is tried where one does not answer, and the first again when a stream ends. */
  readonly targets: readonly AdsTarget<Request, Response>[];
  readonly surroundings: Surroundings;
  readonly wildcards: ReadonlySet<ResourceType>;
  readonly stats: XdsStats;
  readonly logger: Logger;
  /** Told when a response of a type was applied, refused resources or not. */
  readonly onAnswered: (type: ResourceType) => void;
  /** For resources that expire; the real clock unless given. */
  readonly lifetimeClock?: LifetimeClock;
}

interface StreamEnd {
  readonly reason: string;
  /** When it was connected, if ever. */
  readonly connectedMs: number | undefined;
  /** Whether the server sent anything that could be read. */
  readonly hasAnswered: boolean;
}

/** A stream that stood for so long was a good one: failures are counted anew. */
const GOOD_STREAM_MS = 5000;

/**
 * Keeps a stream to the control plane and applies what it brings, one response at a time. Whatever the control
 * plane does, and while it is gone, the configuration that was last accepted stays in force.
 */
export class AdsClient<Request, Response extends { readonly typeUrl: string }> {
  readonly #options: AdsClientOptions<Request, Response>;
  readonly #stop = new AbortController();
  readonly #lifetimes: Lifetimes;
  #stream: AdsStream<Request, Response> | undefined;
  #running: Promise<void> | undefined;
  /** The last thing that was given to the store: one at a time. */
  #applying: Promise<unknown> = Promise.resolve();
  /** Attempts in a row without a good stream. */
  #failures = 0;
  /** Which target is to be tried next. */
  #next = 0;
  /** The NACK of each type that was logged last; a control plane that repeats itself fills no logs. */
  readonly #loggedNacks = new Map<ResourceType, string>();

  constructor(options: AdsClientOptions<Request, Response>) {
    this.#options = options;
    this.#lifetimes = new Lifetimes(options.lifetimeClock ?? systemLifetimeClock, () => {
      this.#inTurn(() => this.#dropExpired()).catch((error: Error) => {
        options.logger.warn({ reason: error.message }, "expired resources could not be removed");
      });
    });
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends the stream; resolves when a response that is being applied is done. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#lifetimes.close();
    this.#stream?.close();
    await this.#running;
    await this.#applying;
  }

  async #run(): Promise<void> {
    const { surroundings, logger, targets } = this.#options;
    while (!this.#stop.signal.aborted) {
      const server = targets[this.#next]!.name;
      const { reason, connectedMs, hasAnswered } = await this.#runStream(targets[this.#next]!);
      if (this.#stop.signal.aborted) return;
      const wasGood = connectedMs !== undefined && surroundings.nowMs() - connectedMs >= GOOD_STREAM_MS;
      this.#next = hasAnswered || wasGood ? 0 : (this.#next + 1) % targets.length;
      // Only when all were tried in vain is it time to wait longer.
      if (wasGood) this.#failures = 1;
      else if (this.#next === 0) this.#failures++;
      this.#countFailure();
      const retryInMs = Math.round(backoffMs(this.#next === 0 ? this.#failures : 1, surroundings.random()));
      const fields = { server, reason, retryInMs, failures: this.#failures };
      logger.warn(fields, "control plane lost; configuration stays as it is");
      await surroundings.sleep(retryInMs, this.#stop.signal);
    }
  }

  /** One stream from its first request to its end. */
  async #runStream(target: AdsTarget<Request, Response>): Promise<StreamEnd> {
    const { state, stats, surroundings } = this.#options;
    let connectedMs: number | undefined;
    let hasAnswered = false;
    try {
      const stream = target.open(() => {
        if (this.#stream !== stream) return;
        connectedMs = surroundings.nowMs();
        stats.connected.set(1);
      });
      this.#stream = stream;
      for (const request of state.open()) stream.send(request);
      for await (const response of stream) {
        hasAnswered = true;
        await this.#inTurn(() => this.#handle(stream, response));
        if (this.#stop.signal.aborted) break;
      }
      return { reason: "the control plane ended the stream", connectedMs, hasAnswered };
    } catch (error) {
      return { reason: error instanceof Error ? error.message : String(error), connectedMs, hasAnswered };
    } finally {
      state.close();
      this.#stream?.close();
      this.#stream = undefined;
      stats.connected.set(0);
    }
  }

  /** Runs what changes the configuration, after whatever is changing it now. */
  #inTurn(run: () => Promise<void>): Promise<void> {
    const turn = this.#applying.then(run);
    this.#applying = turn.catch(() => {});
    return turn;
  }

  /** The control plane was silent for too long about what it said to be short-lived. */
  async #dropExpired(): Promise<void> {
    const { state, sink, logger } = this.#options;
    for (const { type, name } of this.#lifetimes.takeExpired()) {
      state.forget(type, name);
      logger.warn({ type, name }, "resource expired without word from the control plane, removed");
      await sink.apply({ type, added: [], removed: [name] });
    }
    this.#subscribe(this.#stream);
  }

  async #handle(stream: AdsStream<Request, Response>, response: Response): Promise<void> {
    const { state, sink, stats, logger } = this.#options;
    const received = state.receive(response);
    if (received === undefined) {
      logger.debug({ typeUrl: response.typeUrl }, "response of a type that was not asked for, ignored");
      return;
    }
    const { type } = received.update;
    const rejections = [...received.rejections, ...(await sink.apply(received.update))];
    stats.of(type).attempt.add();
    stats.of(type)[rejections.length === 0 ? "success" : "rejected"].add();
    this.#log(received.update, rejections);
    stream.send(state.answer(received, rejections));
    for (const [name, lifetimeMs] of received.lifetimesMs) this.#lifetimes.set(type, name, lifetimeMs);
    for (const name of received.update.removed) this.#lifetimes.set(type, name, undefined);
    this.#subscribe(stream);
    this.#options.onAnswered(type);
  }

  /** Asks for what the configuration names and does not have. */
  #subscribe(stream: AdsStream<Request, Response> | undefined): void {
    const { state, sink } = this.#options;
    for (const [type, names] of [
      ["clusterLoadAssignment", sink.assignmentNames()],
      ["typedExtensionConfig", sink.filterNames()],
      ["secret", sink.secretNames()],
      ["routeConfiguration", sink.routeNames()],
    ] as const) {
      const request = state.subscribe(type, names);
      if (request !== undefined) stream?.send(request);
    }
  }

  #countFailure(): void {
    for (const type of this.#options.wildcards) {
      this.#options.stats.of(type).attempt.add();
      this.#options.stats.of(type).failure.add();
    }
  }

  #log({ type, added, removed }: ResourceUpdate, rejections: readonly Rejection[]): void {
    const { logger } = this.#options;
    const fields = { type, added: added.length, removed: removed.length };
    const text = nackText(rejections);
    if (text === "") {
      logger.info(fields, "update accepted");
      this.#loggedNacks.delete(type);
    } else if (this.#loggedNacks.get(type) !== text) {
      logger.warn({ ...fields, refused: rejections.length, reasons: text }, "update refused in part");
      this.#loggedNacks.set(type, text);
    }
  }
}
