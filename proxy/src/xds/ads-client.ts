// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { DeltaDiscoveryResponse } from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import type { Rejection, ResourceType, ResourceUpdate } from "../config/resource.ts";
import type { Logger } from "../logger.ts";
import type { AdsStream } from "./ads-stream.ts";
import { backoffMs } from "./backoff.ts";
import type { DeltaState } from "./delta-state.ts";
import { nackText } from "./nack-text.ts";
import type { XdsStats } from "./xds-stats.ts";

/** What the client needs of the configuration store. */
export interface ResourceSink {
  apply(update: ResourceUpdate): Promise<readonly Rejection[]>;
  assignmentNames(): ReadonlySet<string>;
  filterNames(): ReadonlySet<string>;
}

/** Time and chance, as the client sees them. */
export interface Surroundings {
  nowMs(): number;
  /** Resolves after so many milliseconds, or when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Uniform from 0 to 1. */
  random(): number;
}

export interface AdsClientOptions {
  readonly state: DeltaState;
  readonly sink: ResourceSink;
  /** Opens a stream; calls back, later, when it is connected. */
  readonly openStream: (onConnected: () => void) => AdsStream;
  readonly surroundings: Surroundings;
  readonly wildcards: ReadonlySet<ResourceType>;
  readonly stats: XdsStats;
  readonly logger: Logger;
  /** Told when a response of a type was applied, refused resources or not. */
  readonly onAnswered: (type: ResourceType) => void;
}

/** A stream that stood for so long was a good one: failures are counted anew. */
const GOOD_STREAM_MS = 5000;

/**
 * Keeps a stream to the control plane and applies what it brings, one response at a time. Whatever the control
 * plane does, and while it is gone, the configuration that was last accepted stays in force.
 */
export class AdsClient {
  readonly #options: AdsClientOptions;
  readonly #stop = new AbortController();
  #stream: AdsStream | undefined;
  #running: Promise<void> | undefined;
  #failures = 0;
  /** The NACK of each type that was logged last; a control plane that repeats itself fills no logs. */
  readonly #loggedNacks = new Map<ResourceType, string>();

  constructor(options: AdsClientOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends the stream; resolves when a response that is being applied is done. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#stream?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { surroundings, logger } = this.#options;
    while (!this.#stop.signal.aborted) {
      const { reason, connectedMs } = await this.#runStream();
      if (this.#stop.signal.aborted) return;
      const wasGood = connectedMs !== undefined && surroundings.nowMs() - connectedMs >= GOOD_STREAM_MS;
      this.#failures = wasGood ? 1 : this.#failures + 1;
      this.#countFailure();
      const retryInMs = Math.round(backoffMs(this.#failures, surroundings.random()));
      logger.warn(
        { reason, retryInMs, failures: this.#failures },
        "control plane lost; configuration stays as it is",
      );
      await surroundings.sleep(retryInMs, this.#stop.signal);
    }
  }

  /** One stream from its first request to its end; tells why it ended, and when it was connected, if ever. */
  async #runStream(): Promise<{ readonly reason: string; readonly connectedMs: number | undefined }> {
    const { state, stats, surroundings } = this.#options;
    let connectedMs: number | undefined;
    try {
      const stream = this.#options.openStream(() => {
        if (this.#stream !== stream) return;
        connectedMs = surroundings.nowMs();
        stats.connected.set(1);
      });
      this.#stream = stream;
      for (const request of state.open()) stream.send(request);
      for await (const response of stream) {
        await this.#handle(stream, response);
        if (this.#stop.signal.aborted) break;
      }
      return { reason: "the control plane ended the stream", connectedMs };
    } catch (error) {
      return { reason: error instanceof Error ? error.message : String(error), connectedMs };
    } finally {
      state.close();
      this.#stream?.close();
      this.#stream = undefined;
      stats.connected.set(0);
    }
  }

  async #handle(stream: AdsStream, response: DeltaDiscoveryResponse): Promise<void> {
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
    for (const request of [
      state.subscribe("clusterLoadAssignment", sink.assignmentNames()),
      state.subscribe("typedExtensionConfig", sink.filterNames()),
    ]) {
      if (request !== undefined) stream.send(request);
    }
    this.#options.onAnswered(type);
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
